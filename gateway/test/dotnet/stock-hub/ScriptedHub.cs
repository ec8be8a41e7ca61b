using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.SignalR;

namespace StockHub;

/// <summary>The hub of the transcripts: each thing that a hub can do, as a method. Its twin is scripted-hub.ts.</summary>
internal abstract class ScriptedHub : Hub
{
    public JsonElement Echo(JsonElement value) => value;

    public int Add(int left, int right) => left + right;

    public void Nothing() { }

    public async Task NothingLater() => await Task.Yield();

    public string? Null() => null;

    public async Task<string> Later(string text)
    {
        await Task.Yield();
        return text;
    }

    public Person Describe(string name, int age) => new(name, age, ["reader"]);

    public void Fail(string text) => throw new InvalidOperationException(text);

    public async Task FailLater(string text)
    {
        await Task.Yield();
        throw new InvalidOperationException(text);
    }

    public void Refuse(string text) => throw new HubException(text);

    public async Task Hold() => await Task.Delay(Timeout.Infinite, Context.ConnectionAborted);

    public async IAsyncEnumerable<int> Count(int to)
    {
        for (var n = 1; n <= to; n++)
        {
            await Task.Yield();
            yield return n;
        }
    }

    public ChannelReader<string?> Letters()
    {
        var letters = Channel.CreateUnbounded<string?>();
        letters.Writer.TryWrite("a");
        letters.Writer.TryWrite(null);
        letters.Writer.Complete();
        return letters.Reader;
    }

    public async IAsyncEnumerable<int> FailAfter(int to)
    {
        await foreach (var n in Count(to))
        {
            yield return n;
        }
        throw new InvalidOperationException("broken");
    }

    public async IAsyncEnumerable<int> RefuseAfter(int to)
    {
        await foreach (var n in Count(to))
        {
            yield return n;
        }
        throw new HubException("no more");
    }

    public IAsyncEnumerable<int> RefuseStream() => throw new HubException("no stream");

    /// <summary>One item, then nothing until it is cancelled.</summary>
    public async IAsyncEnumerable<int> One([EnumeratorCancellation] CancellationToken cancelled)
    {
        yield return 1;
        await Task.Delay(Timeout.Infinite, cancelled);
    }

    public async Task<int> Sum(IAsyncEnumerable<int> numbers)
    {
        var sum = 0;
        await foreach (var n in numbers)
        {
            sum += n;
        }
        return sum;
    }

    public async Task<string> Merge(string separator, ChannelReader<string> left, ChannelReader<string> right)
    {
        var words = new List<string>();
        await foreach (var word in left.ReadAllAsync())
        {
            words.Add(word);
        }
        await foreach (var word in right.ReadAllAsync())
        {
            words.Add(word);
        }
        return string.Join(separator, words);
    }

    public async Task<int> First(IAsyncEnumerable<int> numbers)
    {
        await foreach (var n in numbers)
        {
            return n;
        }
        return 0;
    }

    public async IAsyncEnumerable<int> Double(IAsyncEnumerable<int> numbers)
    {
        await foreach (var n in numbers)
        {
            yield return 2 * n;
        }
    }

    public async Task<string> AskCaller() => "you are " + await Clients.Caller.InvokeAsync<string>("askName", CancellationToken.None);

    public Task<string> Ask(string connectionId) => Clients.Client(connectionId).InvokeAsync<string>("askName", CancellationToken.None);

    public Task Join(string group) => Groups.AddToGroupAsync(Context.ConnectionId, group);

    public Task Leave(string group) => Groups.RemoveFromGroupAsync(Context.ConnectionId, group);

    public async Task<string> Tell(string to, string[] names, JsonElement value)
    {
        await Target(to, names).SendAsync("news", value);
        return "told";
    }

    public async Task Several()
    {
        await Clients.Caller.SendAsync("news");
        await Clients.Caller.SendAsync("news", 1, "two", null, true, 4.5);
        await Clients.All.SendAsync("NEWS", new Person("Ann", 30, []));
    }

    public string? WhoAmI() => Context.UserIdentifier;

    public void Abort() => Context.Abort();

    [HubMethodName("renamed")]
    public string UnderAnotherName() => "renamed";

    private IClientProxy Target(string to, string[] names) => to switch
    {
        "all" => Clients.All,
        "others" => Clients.Others,
        "caller" => Clients.Caller,
        "allExcept" => Clients.AllExcept(names),
        "client" => Clients.Client(names[0]),
        "clients" => Clients.Clients(names),
        "group" => Clients.Group(names[0]),
        "groups" => Clients.Groups(names),
        "groupExcept" => Clients.GroupExcept(names[0], names[1..]),
        "othersInGroup" => Clients.OthersInGroup(names[0]),
        "user" => Clients.User(names[0]),
        "users" => Clients.Users(names),
        _ => throw new HubException($"\"to\" must name a target, got \"{to}\""),
    };

    /// <summary>Written in camel case, as ASP.NET Core does by default.</summary>
    internal sealed record Person(string Name, int Age, string[] Roles);
}
