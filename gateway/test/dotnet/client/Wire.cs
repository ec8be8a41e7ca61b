using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;

namespace DotnetClient;

/// <summary>Where a connection was negotiated: the address with its connection token, and who comes.</summary>
internal sealed record Place(Uri Address, string AccessToken);

/// <summary>Carries bytes between a client and the service, until either end leaves.</summary>
internal abstract class Wire : IAsyncDisposable
{
    /// <summary>Connects by the transport of this name.</summary>
    public static async Task<Wire> OpenAsync(string transport, Place place, CancellationToken cancelled) => transport switch
    {
        "WebSockets" => await WebSocketWire.OpenAsync(place, cancelled),
        "ServerSentEvents" => await EventsWire.OpenAsync(place, cancelled),
        "LongPolling" => await PollingWire.OpenAsync(place, cancelled),
        _ => throw new ArgumentException($"\"transport\" must be one of three, got \"{transport}\"", nameof(transport)),
    };

    /// <summary>Whether the connection is kept alive by how its requests work, without pings.</summary>
    public virtual bool HasInherentKeepAlive => false;

    public abstract Task SendAsync(ReadOnlySequence<byte> bytes);

    /// <summary>Writes what comes, and ends when the service ended the connection.</summary>
    public abstract Task ReceiveAsync(PipeWriter output);

    /// <summary>Breaks the connection as a network does.</summary>
    public abstract void Cut();

    public abstract ValueTask DisposeAsync();
}

/// <summary>WebSocket frames, all of text.</summary>
internal sealed class WebSocketWire(ClientWebSocket socket) : Wire
{
    public static async Task<WebSocketWire> OpenAsync(Place place, CancellationToken cancelled)
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", $"Bearer {place.AccessToken}");
        var address = new UriBuilder(place.Address) { Scheme = "ws" };
        await socket.ConnectAsync(address.Uri, cancelled);
        return new(socket);
    }

    public override async Task SendAsync(ReadOnlySequence<byte> bytes) =>
        await socket.SendAsync(bytes.ToArray(), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);

    public override async Task ReceiveAsync(PipeWriter output)
    {
        while (true)
        {
            var received = await socket.ReceiveAsync(output.GetMemory(4096), CancellationToken.None);
            if (received.MessageType == WebSocketMessageType.Close)
            {
                return;
            }
            output.Advance(received.Count);
            await output.FlushAsync();
        }
    }

    public override void Cut() => socket.Abort();

    public override async ValueTask DisposeAsync()
    {
        if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
        {
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        }
        socket.Dispose();
    }
}

/// <summary>What both transports over plain requests do: one POST after the other.</summary>
internal abstract class HttpWire(Place place) : Wire
{
    private readonly CancellationTokenSource _cut = new();

    protected HttpClient Http { get; } = CreateClient(place);

    protected Uri Address { get; } = place.Address;

    protected CancellationToken IsCut => _cut.Token;

    public override async Task SendAsync(ReadOnlySequence<byte> bytes)
    {
        using var body = new ByteArrayContent(bytes.ToArray());
        using var answer = await Http.PostAsync(Address, body, IsCut);
        answer.EnsureSuccessStatusCode();
    }

    public override void Cut() => _cut.Cancel();

    public override ValueTask DisposeAsync()
    {
        _cut.Cancel();
        Http.Dispose();
        return ValueTask.CompletedTask;
    }

    private static HttpClient CreateClient(Place place)
    {
        var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", place.AccessToken);
        return http;
    }
}

/// <summary>Server-sent events: each is one or more records of JSON.</summary>
internal sealed class EventsWire(Place place) : HttpWire(place)
{
    private StreamReader? _events;

    public static async Task<EventsWire> OpenAsync(Place place, CancellationToken cancelled)
    {
        var wire = new EventsWire(place);
        using var request = new HttpRequestMessage(HttpMethod.Get, place.Address);
        request.Headers.Accept.Add(new("text/event-stream"));
        var answer = await wire.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancelled);
        answer.EnsureSuccessStatusCode();
        wire._events = new StreamReader(await answer.Content.ReadAsStreamAsync(cancelled));
        return wire;
    }

    public override async Task ReceiveAsync(PipeWriter output)
    {
        const string Field = "data: ";
        while (await _events!.ReadLineAsync(IsCut) is { } line)
        {
            if (line.StartsWith(Field, StringComparison.Ordinal))
            {
                await output.WriteAsync(System.Text.Encoding.UTF8.GetBytes(line[Field.Length..]));
            }
        }
    }
}

/// <summary>Long polling: a GET that waits for bytes, again and again.</summary>
internal sealed class PollingWire(Place place) : HttpWire(place)
{
    public override bool HasInherentKeepAlive => true;

    public static async Task<PollingWire> OpenAsync(Place place, CancellationToken cancelled)
    {
        var wire = new PollingWire(place);
        using var first = await wire.Http.GetAsync(place.Address, cancelled);
        first.EnsureSuccessStatusCode();
        return wire;
    }

    public override async Task ReceiveAsync(PipeWriter output)
    {
        while (true)
        {
            using var poll = await Http.GetAsync(Address, IsCut);
            if (poll.StatusCode == HttpStatusCode.NoContent)
            {
                return;
            }
            poll.EnsureSuccessStatusCode();
            await output.WriteAsync(await poll.Content.ReadAsByteArrayAsync(IsCut));
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (!IsCut.IsCancellationRequested)
        {
            using var ended = await Http.DeleteAsync(Address);
        }
        await base.DisposeAsync();
    }
}
