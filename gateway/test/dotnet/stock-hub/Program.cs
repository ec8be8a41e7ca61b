using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;
using StockHub;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddSingleton<IUserIdProvider, QueryUserIdProvider>();
builder.Services.AddSignalR()
    .AddHubOptions<DetailedHub>(options => options.EnableDetailedErrors = true)
    .AddHubOptions<StrictHub>(options =>
    {
        options.EnableDetailedErrors = true;
        options.KeepAliveInterval = TimeSpan.FromSeconds(1);
        options.ClientTimeoutInterval = TimeSpan.FromSeconds(2);
        options.MaximumReceiveMessageSize = 1024;
    })
    .AddHubOptions<HastyHub>(options =>
    {
        options.EnableDetailedErrors = true;
        options.HandshakeTimeout = TimeSpan.FromSeconds(1);
    })
    .AddHubOptions<ParallelHub>(options => options.MaximumParallelInvocationsPerClient = 2);

var app = builder.Build();
app.MapHub<PlainHub>("/plain");
app.MapHub<DetailedHub>("/detailed");
app.MapHub<StrictHub>("/strict");
app.MapHub<HastyHub>("/hasty");
app.MapHub<ParallelHub>("/parallel");
app.MapHub<GreetingHub>("/greeting");
app.MapHub<RefusingHub>("/refusing");
app.MapHub<FailingHub>("/failing");
app.Run();

namespace StockHub
{
    /// <summary>Who a client is: what its query says, as the scripts trust each other.</summary>
    internal sealed class QueryUserIdProvider : IUserIdProvider
    {
        public string? GetUserId(HubConnectionContext connection) =>
            connection.GetHttpContext()?.Request.Query["user"];
    }
}
