using System.Security.Claims;
using System.Text;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace AspNetChat;

/// <summary>Makes and checks the tokens of users. A real app checks a password first, or lets somebody else do it.</summary>
internal static class Logins
{
    private const string Issuer = "aspnet-chat";

    public static void AddLogins(this IServiceCollection services, string secret)
    {
        services.AddAuthorization();
        services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme).AddJwtBearer(options =>
        {
            options.TokenValidationParameters = new()
            {
                ValidIssuer = Issuer,
                ValidAudience = Issuer,
                IssuerSigningKey = Key(secret),
            };
            options.Events = new() { OnMessageReceived = TakeFromQuery };
        });
    }

    /// <summary>A token for an hour.</summary>
    public static string CreateToken(string secret, string user, bool isModerator)
    {
        var claims = new List<Claim> { new(ClaimTypes.NameIdentifier, user) };
        if (isModerator)
        {
            claims.Add(new(ClaimTypes.Role, "moderator"));
        }
        return new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Issuer = Issuer,
            Audience = Issuer,
            Subject = new(claims),
            Expires = DateTime.UtcNow.AddHours(1),
            SigningCredentials = new(Key(secret), SecurityAlgorithms.HmacSha256),
        });
    }

    private static SymmetricSecurityKey Key(string secret) => new(Encoding.UTF8.GetBytes(secret));

    /// <summary>A browser's WebSocket has no headers. Behind AddAzureSignalR the service looks after that.</summary>
    private static Task TakeFromQuery(MessageReceivedContext context)
    {
        string? token = context.Request.Query["access_token"];
        if (!string.IsNullOrEmpty(token) && context.Request.Path.StartsWithSegments("/chat", StringComparison.Ordinal))
        {
            context.Token = token;
        }
        return Task.CompletedTask;
    }
}
