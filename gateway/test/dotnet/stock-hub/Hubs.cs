using Microsoft.AspNetCore.SignalR;

namespace StockHub;

/// <summary>The settings that every app starts with.</summary>
internal sealed class PlainHub : ScriptedHub;

/// <summary>Clients are told the texts of all errors.</summary>
internal sealed class DetailedHub : ScriptedHub;

/// <summary>Small limits and short times.</summary>
internal sealed class StrictHub : ScriptedHub;

/// <summary>Waits only shortly for a handshake.</summary>
internal sealed class HastyHub : ScriptedHub;

/// <summary>Two calls of a client may run at a time.</summary>
internal sealed class ParallelHub : ScriptedHub;

/// <summary>Sends to its clients before their first call.</summary>
internal sealed class GreetingHub : ScriptedHub
{
    public override async Task OnConnectedAsync()
    {
        await Clients.Caller.SendAsync("welcome", Context.UserIdentifier);
        await Groups.AddToGroupAsync(Context.ConnectionId, "guests");
        await Clients.Group("guests").SendAsync("arrived", Context.UserIdentifier);
        await Clients.Others.SendAsync("other", Context.UserIdentifier);
    }
}

/// <summary>Lets nobody in, and says why.</summary>
internal sealed class RefusingHub : ScriptedHub
{
    public override Task OnConnectedAsync() => throw new HubException("not today");
}

/// <summary>Breaks when a client connects.</summary>
internal sealed class FailingHub : ScriptedHub
{
    public override Task OnConnectedAsync() => throw new InvalidOperationException("broken");
}
