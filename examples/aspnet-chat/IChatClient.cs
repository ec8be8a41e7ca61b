namespace AspNetChat;

/// <summary>What a hub can tell and ask its clients.</summary>
public interface IChatClient
{
    Task Welcome(Whereabouts you);

    Task ReceiveMessage(string user, string text);

    Task SaidInRoom(string room, string user, string text);

    Task ReceivePrivate(string from, string recipient, string text);

    Task Tick(int number);

    /// <summary>A question: the client's handler returns the answer.</summary>
    Task<string> AskMood();
}

/// <summary>Who somebody is, on which connection, and which process of the app runs its hub.</summary>
public sealed record Whereabouts(string User, string ConnectionId, int Process);
