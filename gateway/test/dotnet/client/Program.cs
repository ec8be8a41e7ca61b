using System.Text.Json;
using DotnetClient;

// Told what to do on standard input, one line of JSON for each thing; answers and tells in lines too. Ends with its input.

var json = new JsonSerializerOptions(JsonSerializerDefaults.Web);
var clients = new Dictionary<int, Client>();
var output = TextWriter.Synchronized(Console.Out);

void Say(object line) => output.WriteLine(JsonSerializer.Serialize(line, json));

Client Open(Order order)
{
    var client = new Client(order.Invitation!, order.Name!, (what, value) => Say(new { client = order.Client, what, value }));
    clients.Add(order.Client, client);
    return client;
}

async Task<object?> Obey(Order order)
{
    var client = order.Ask == "start" ? Open(order) : clients[order.Client];
    var args = order.Args ?? [];
    switch (order.Ask)
    {
        case "start":
            return await client.StartAsync();
        case "invoke":
            return await client.InvokeAsync(order.Target!, [.. args]);
        case "stream":
            return await client.StreamAsync(order.Target!, [.. args], order.Most);
        case "upload":
            return await client.UploadAsync(order.Target!, args);
        case "cut":
            client.Cut();
            return null;
        case "stop":
            await client.StopAsync();
            return null;
        default:
            throw new ArgumentException($"\"ask\" must be known, got \"{order.Ask}\"");
    }
}

async Task Answer(Order order)
{
    try
    {
        Say(new { order.Id, value = await Obey(order) });
    }
    catch (Exception error)
    {
        Say(new { order.Id, error = error.Message });
    }
}

Say(new { ready = typeof(Microsoft.AspNetCore.SignalR.Client.HubConnection).Assembly.GetName().Version!.ToString(3) });
while (await Console.In.ReadLineAsync() is { } line)
{
    _ = Answer(JsonSerializer.Deserialize<Order>(line, json)!);
}

namespace DotnetClient
{
    /// <summary>A thing to do. Which of the members count depends on what is asked.</summary>
    internal sealed record Order(int Id, string Ask, int Client)
    {
        public Invitation? Invitation { get; init; }

        public string? Name { get; init; }

        public string? Target { get; init; }

        public JsonElement[]? Args { get; init; }

        /// <summary>Items of a stream to wait for before it is cancelled.</summary>
        public int Most { get; init; } = int.MaxValue;
    }
}
