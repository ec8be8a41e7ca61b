using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace DotnetClient;

/// <summary>What an app's negotiate answered: where the service is, and who comes.</summary>
internal sealed record Invitation(string Url, string AccessToken, string Transport, bool Stateful);

/// <summary>Makes connections for Microsoft's HubConnection: negotiates with the service, then connects.</summary>
internal sealed class WireConnectionFactory(Invitation invitation) : IConnectionFactory
{
    /// <summary>The connection that was made last.</summary>
    public WireConnection? Current { get; private set; }

    /// <summary>Whether the service agreed to stateful reconnect.</summary>
    public bool IsStateful { get; private set; }

    public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var negotiated = await NegotiateAsync(cancellationToken);
        IsStateful = negotiated.UseStatefulReconnect;
        var address = new Uri($"{invitation.Url}&id={Uri.EscapeDataString(negotiated.ConnectionToken)}");
        var wire = await Wire.OpenAsync(invitation.Transport, new(address, invitation.AccessToken), cancellationToken);
        Current = new WireConnection(wire, negotiated.ConnectionId);
        return Current;
    }

    private async Task<Negotiated> NegotiateAsync(CancellationToken cancelled)
    {
        var url = new UriBuilder(invitation.Url);
        url.Path = $"{url.Path.TrimEnd('/')}/negotiate";
        url.Query += "&negotiateVersion=1" + (invitation.Stateful ? "&useStatefulReconnect=true" : "");
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", invitation.AccessToken);
        using var answer = await http.PostAsync(url.Uri, null, cancelled);
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadFromJsonAsync<Negotiated>(cancelled)
            ?? throw new InvalidDataException("the service answered null");
    }

    private sealed record Negotiated(string ConnectionId, string ConnectionToken, bool UseStatefulReconnect = false);
}

/// <summary>A wire as HubConnection wants it: two pipes, and a loop for each.</summary>
internal sealed class WireConnection : ConnectionContext, IConnectionInherentKeepAliveFeature
{
    private readonly Wire _wire;
    private readonly Pipe _incoming = new();
    private readonly Pipe _outgoing = new();
    private readonly Task _loops;

    public WireConnection(Wire wire, string connectionId)
    {
        _wire = wire;
        ConnectionId = connectionId;
        Transport = new DuplexPipe(_incoming.Reader, _outgoing.Writer);
        Features.Set<IConnectionInherentKeepAliveFeature>(this);
        _loops = Task.WhenAll(ReceiveAsync(), SendAsync());
    }

    public override string ConnectionId { get; set; }

    public override IDuplexPipe Transport { get; set; }

    public override IFeatureCollection Features { get; } = new FeatureCollection();

    public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

    public bool HasInherentKeepAlive => _wire.HasInherentKeepAlive;

    /// <summary>Breaks the connection as a network does.</summary>
    public void Cut() => _wire.Cut();

    /// <summary>Sends what was written, and leaves.</summary>
    public override async ValueTask DisposeAsync()
    {
        await Transport.Output.CompleteAsync();
        await _loops;
        await Transport.Input.CompleteAsync();
        await base.DisposeAsync();
    }

    private async Task ReceiveAsync()
    {
        Exception? failure = null;
        try
        {
            await _wire.ReceiveAsync(_incoming.Writer);
        }
        catch (Exception error)
        {
            failure = error;
        }
        await _incoming.Writer.CompleteAsync(failure);
        _outgoing.Reader.CancelPendingRead();
    }

    private async Task SendAsync()
    {
        try
        {
            while (await _outgoing.Reader.ReadAsync() is { IsCanceled: false } read)
            {
                if (!read.Buffer.IsEmpty)
                {
                    await _wire.SendAsync(read.Buffer);
                }
                _outgoing.Reader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    break;
                }
            }
        }
        catch (Exception)
        {
            // The other loop tells of the loss.
        }
        await _outgoing.Reader.CompleteAsync();
        await _wire.DisposeAsync();
    }

    private sealed record DuplexPipe(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
