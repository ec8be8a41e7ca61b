using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.SignalR;

namespace AspNetChat;

/// <summary>Sends from outside of the hub: to everybody, a room, a user.</summary>
[ApiController]
[Authorize]
[Route("messages")]
public sealed class MessagesController(IHubContext<ChatHub, IChatClient> hub) : ControllerBase
{
    [HttpPost]
    public Task ToAll(Message message) => hub.Clients.All.ReceiveMessage("system", message.Text);

    [HttpPost("rooms/{room}")]
    public Task ToRoom(string room, Message message) => hub.Clients.Group(room).SaidInRoom(room, "system", message.Text);

    [HttpPost("users/{user}")]
    public Task ToUser(string user, Message message) => hub.Clients.User(user).ReceivePrivate("system", user, message.Text);

    /// <summary>What is sent.</summary>
    public sealed record Message(string Text);
}
