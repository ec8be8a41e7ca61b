using Microsoft.AspNetCore.SignalR;

namespace AspNetChat;

/// <summary>Tells everybody a number, again and again, from a background service.</summary>
public sealed partial class Clock(
    IHubContext<ChatHub, IChatClient> hub,
    IConfiguration configuration,
    ILogger<Clock> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(configuration.GetValue("Clock:Seconds", 10.0)));
        for (var number = 1; await timer.WaitForNextTickAsync(stoppingToken); number++)
        {
            try
            {
                await hub.Clients.All.Tick(number);
            }
            catch (Exception error)
            {
                // Behind a service a send fails while there is no link to it, at the start for instance. An exception that
                // leaves a background service would end the app.
                NotSent(number, error);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "number {Number} was not sent")]
    private partial void NotSent(int number, Exception error);
}
