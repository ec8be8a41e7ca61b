using System.Net;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;

namespace DotnetClient;

/// <summary>One client: what it is asked to do, and what it tells unasked.</summary>
internal sealed class Client
{
    private readonly WireConnectionFactory _factory;
    private readonly HubConnection _connection;

    public Client(Invitation invitation, string name, Action<string, object?> tell)
    {
        _factory = new WireConnectionFactory(invitation);
        var builder = new HubConnectionBuilder().WithAutomaticReconnect([TimeSpan.Zero, TimeSpan.FromSeconds(1)]);
        builder.Services.AddSingleton<IConnectionFactory>(_factory);
        builder.Services.AddSingleton<EndPoint>(new UriEndPoint(new Uri(invitation.Url)));
        _connection = builder.Build();
        _connection.On<JsonElement>("news", value => tell("news", value));
        _connection.On("askName", () => name);
        _connection.Reconnecting += error => Told("reconnecting", error?.Message);
        _connection.Reconnected += id => Told("reconnected", id);
        _connection.Closed += error => Told("closed", error?.Message);

        Task Told(string what, object? value)
        {
            tell(what, value);
            return Task.CompletedTask;
        }
    }

    public async Task<object?> StartAsync()
    {
        await _connection.StartAsync();
        return new { id = _connection.ConnectionId, stateful = _factory.IsStateful };
    }

    public async Task<object?> InvokeAsync(string target, object?[] args) =>
        await _connection.InvokeCoreAsync<JsonElement>(target, args);

    /// <summary>The items up to so many; then the stream is cancelled.</summary>
    public async Task<object?> StreamAsync(string target, object?[] args, int most)
    {
        var items = new List<JsonElement>();
        using var cancel = new CancellationTokenSource();
        await foreach (var item in _connection.StreamAsyncCore<JsonElement>(target, args, cancel.Token))
        {
            items.Add(item);
            if (items.Count == most)
            {
                await cancel.CancelAsync(); // leaving the loop would tell the hub nothing
                break;
            }
        }
        return items;
    }

    public async Task<object?> UploadAsync(string target, JsonElement[] items)
    {
        var channel = Channel.CreateUnbounded<JsonElement>();
        var result = _connection.InvokeCoreAsync<JsonElement>(target, [channel.Reader]);
        foreach (var item in items)
        {
            await channel.Writer.WriteAsync(item);
        }
        channel.Writer.Complete();
        return await result;
    }

    public void Cut() => _factory.Current?.Cut();

    public Task StopAsync() => _connection.StopAsync();
}
