using System.Text.Json;
using AzureManagement;
using Microsoft.Azure.SignalR.Management;

// Arguments: transient or persistent, the connection string, the hub. Told what to do on standard input, one line of JSON
// for each thing; answers in lines too. Ends with its input.

var json = new JsonSerializerOptions(JsonSerializerDefaults.Web);
using var manager = new ServiceManagerBuilder()
    .WithOptions(options =>
    {
        options.ServiceTransportType = Enum.Parse<ServiceTransportType>(args[0], ignoreCase: true);
        options.ConnectionString = args[1];
    })
    .BuildServiceManager();
await using var hub = await manager.CreateHubContextAsync(args[2], CancellationToken.None);
var operations = new Operations(manager, hub);

Console.WriteLine("{\"ready\":true}");
while (await Console.In.ReadLineAsync() is { } line)
{
    var order = JsonSerializer.Deserialize<Order>(line, json)!;
    object answer;
    try
    {
        answer = new { order.Id, value = await operations.RunAsync(order) };
    }
    catch (Exception error)
    {
        answer = new { order.Id, error = error.Message };
    }
    Console.WriteLine(JsonSerializer.Serialize(answer, json));
}
