using System.Security.Cryptography;
using AspNetChat;
using Microsoft.Extensions.FileProviders;

var builder = WebApplication.CreateBuilder(args);
// With several app servers: the same for all of them.
var secret = builder.Configuration["Logins:Secret"] ?? RandomNumberGenerator.GetHexString(64);

builder.Services.AddControllers();
builder.Services.AddLogins(secret);
builder.Services.AddHostedService<Clock>();
#if AZURE_SIGNALR
builder.Services.AddSignalR().AddAzureSignalR(); // reads Azure:SignalR:ConnectionString
#else
builder.Services.AddSignalR();
#endif

var app = builder.Build();
app.UseDefaultFiles();
app.UseStaticFiles();
app.UseStaticFiles(new StaticFileOptions { FileProvider = OfficialClient(), RequestPath = "/lib" });
app.UseAuthentication();
app.UseAuthorization();
app.MapControllers();
app.MapHub<ChatHub>("/chat");
app.MapPost("/login", (string user, bool moderator = false) => Logins.CreateToken(secret, user, moderator));
app.Run();

// The browser's client: `npm ci` at the root of this repository brings it. Apps have it in wwwroot/lib, or from a CDN.
PhysicalFileProvider OfficialClient() =>
    new(Path.GetFullPath("../../node_modules/@microsoft/signalr/dist/browser", app.Environment.ContentRootPath));
