using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.SignalR;

namespace AspNetChat;

/// <summary>The chat of the tutorials. Nothing in it knows where its clients are connected.</summary>
[Authorize]
public sealed class ChatHub : Hub<IChatClient>
{
    private const int MaxTextChars = 1000;

    private string User => Context.UserIdentifier ?? throw new HubException("nobody is logged in");

    public override Task OnConnectedAsync() => Clients.Caller.Welcome(WhoAmI());

    public Whereabouts WhoAmI() => new(User, Context.ConnectionId, Environment.ProcessId);

    public Task SendMessage(string text) => Clients.All.ReceiveMessage(User, Checked(text));

    public Task JoinRoom(string room) => Groups.AddToGroupAsync(Context.ConnectionId, room);

    public Task LeaveRoom(string room) => Groups.RemoveFromGroupAsync(Context.ConnectionId, room);

    public Task SayInRoom(string room, string text) => Clients.Group(room).SaidInRoom(room, User, Checked(text));

    public Task SendPrivate(string to, string text) =>
        Clients.Users([User, to]).ReceivePrivate(User, to, Checked(text));

    [Authorize(Roles = "moderator")]
    public Task Announce(string text) => Clients.Others.ReceiveMessage("moderator", Checked(text));

    /// <summary>Asks the caller; its answer goes to everybody.</summary>
    public async Task<string> TellMood()
    {
        var mood = await Clients.Caller.AskMood();
        await Clients.All.ReceiveMessage(User, $"I am {mood}");
        return mood;
    }

    /// <summary>A stream to the client.</summary>
    public async IAsyncEnumerable<int> Counter(int from, int to, [EnumeratorCancellation] CancellationToken cancelled)
    {
        for (var n = from; n <= to; n++)
        {
            yield return n;
            await Task.Delay(20, cancelled);
        }
    }

    /// <summary>A stream from the client.</summary>
    public async Task<int> CountWords(IAsyncEnumerable<string> lines)
    {
        var words = 0;
        await foreach (var line in lines)
        {
            words += line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;
        }
        return words;
    }

    private static string Checked(string text) => text.Length is > 0 and <= MaxTextChars
        ? text
        : throw new HubException($"\"text\" must be 1 to {MaxTextChars} characters, got {text.Length}");
}
