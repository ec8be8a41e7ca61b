using Microsoft.AspNetCore.SignalR;
using Microsoft.Azure.SignalR.Management;

namespace AzureManagement;

/// <summary>Every operation of a hub in the Management SDK, by name.</summary>
internal sealed class Operations(ServiceManager manager, ServiceHubContext hub)
{
    public async Task<object?> RunAsync(Order order)
    {
        var (ask, names, cancelled) = (order.Ask, order.Names, CancellationToken.None);
        return ask switch
        {
            "healthy" => await manager.IsServiceHealthy(cancelled),
            "negotiate" => await NegotiateAsync(names[0]),
            "send" => await Done(Target(order).SendAsync("news", order.Value, cancelled)),
            "join" => await Done(hub.Groups.AddToGroupAsync(names[0], names[1], cancelled)),
            "leave" => await Done(hub.Groups.RemoveFromGroupAsync(names[0], names[1], cancelled)),
            "leaveAll" => await Done(hub.Groups.RemoveFromAllGroupsAsync(names[0], cancelled)),
            "joinUser" => await Done(hub.UserGroups.AddToGroupAsync(names[0], names[1], cancelled)),
            "joinUserFor" => await Done(hub.UserGroups.AddToGroupAsync(names[0], names[1], order.Ttl, cancelled)),
            "leaveUser" => await Done(hub.UserGroups.RemoveFromGroupAsync(names[0], names[1], cancelled)),
            "leaveUserAll" => await Done(hub.UserGroups.RemoveFromAllGroupsAsync(names[0], cancelled)),
            "isInGroup" => await hub.UserGroups.IsUserInGroup(names[0], names[1], cancelled),
            "connectionExists" => await hub.ClientManager.ConnectionExistsAsync(names[0], cancelled),
            "userExists" => await hub.ClientManager.UserExistsAsync(names[0], cancelled),
            "groupExists" => await hub.ClientManager.GroupExistsAsync(names[0], cancelled),
            "close" => await Done(hub.ClientManager.CloseConnectionAsync(names[0], names[1], cancelled)),
            _ => throw new ArgumentException($"\"ask\" must be known, got \"{ask}\""),
        };
    }

    private async Task<object?> NegotiateAsync(string user)
    {
        var answer = await hub.NegotiateAsync(new() { UserId = user });
        return new { answer.Url, answer.AccessToken, NegotiateVersion = 0, AvailableTransports = Array.Empty<string>() };
    }

    private IClientProxy Target(Order order)
    {
        var (clients, names) = (hub.Clients, order.Names);
        return order.To switch
        {
            "all" => clients.All,
            "allExcept" => clients.AllExcept(names),
            "client" => clients.Client(names[0]),
            "clients" => clients.Clients(names),
            "group" => clients.Group(names[0]),
            "groups" => clients.Groups(names),
            "groupExcept" => clients.GroupExcept(names[0], names[1..]),
            "user" => clients.User(names[0]),
            "users" => clients.Users(names),
            _ => throw new ArgumentException($"\"to\" must be known, got \"{order.To}\""),
        };
    }

    private static async Task<object?> Done(Task task)
    {
        await task;
        return null;
    }
}

/// <summary>What to do. Which of the members count depends on what is asked.</summary>
internal sealed record Order(int Id, string Ask, string? To = null, double TtlSeconds = 0)
{
    public string[] Names { get; init; } = [];

    public string? Value { get; init; }

    public TimeSpan Ttl => TimeSpan.FromSeconds(TtlSeconds);
}
