import { describe, expect, test } from 'vitest';
import type { HubMessage } from '../../src/protocol/hub.ts';
import { messagePackHubProtocol } from '../../src/protocol/hub-messagepack.ts';
import { type Client, call, FakeGateway, Host, type Options } from './host.ts';

const options: Options = {
  methods: {
    rename: (hub) => hub.clients.caller.invoke('askName', 'Who?'),
    ask: (hub, id: string) => hub.clients.client(id).invoke('askName', 'Who?'),
    askSoon: (hub, id: string) => hub.clients.client(id, { timeoutMs: 20 }).invoke('askName', 'Who?'),
    now: () => 'now',
  },
  detailedErrors: true,
};

/** The question that a client was asked. */
async function question(
  client: Client,
): Promise<{ target: string; arguments: readonly unknown[]; invocationId: string }> {
  const message = await client.message();
  if (message?.kind !== 'invocation' || message.invocationId === undefined) throw new Error(`got ${message?.kind}`);
  return { ...message, invocationId: message.invocationId };
}

const answer = (invocationId: string, result: unknown): HubMessage => ({ kind: 'completion', invocationId, result });

describe('a client of the same link', () => {
  test.each(['json', 'messagepack'])(
    'is asked on its own connection, and its result comes back, in %s (HP-27)',
    async (protocol) => {
      const host = new Host(options);
      const client = await host.connect(protocol);
      client.send(call('rename', [], '1'));
      const { target, arguments: args, invocationId } = await question(client);
      expect([target, args, /[a-z]/.test(invocationId)]).toEqual(['askName', ['Who?'], true]);
      client.send(answer(invocationId, 5));
      expect(await client.message()).toMatchObject({ invocationId: '1', result: 5 });
      expect([host.gateway.asked, host.gateway.answers]).toEqual([[], []]);
    },
  );

  test('holds up no other call of its own while it is asked', async () => {
    const client = await new Host(options).connect();
    client.send(call('rename', [], '1'), call('now', [], '2'));
    const { invocationId } = await question(client);
    expect(await client.message()).toMatchObject({ invocationId: '2', result: 'now' });
    client.send(answer(invocationId, 'Bob'));
    expect(await client.message()).toMatchObject({ invocationId: '1', result: 'Bob' });
  });

  test('can be asked while it connects', async () => {
    const names: unknown[] = [];
    const onConnected: Options['onConnected'] = async (hub) =>
      void names.push(await hub.clients.caller.invoke('askName'));
    const host = new Host({ ...options, onConnected });
    const client = host.open();
    client.connection.receive(new TextEncoder().encode('{"protocol":"json","version":1}\u001e'));
    await client.bytes();
    const { invocationId } = await question(client);
    client.send(call('now', [], '1'));
    expect(client.rest()).toEqual([]);
    client.send(answer(invocationId, 'Bob'));
    expect(await client.message()).toMatchObject({ invocationId: '1', result: 'now' });
    expect(names).toEqual(['Bob']);
  });

  test.each([true, false])(
    'that fails rejects with its text, which callers are told: detailed errors %s',
    async (detailedErrors) => {
      const client = await new Host({ ...options, detailedErrors }).connect();
      client.send(call('rename', [], '1'));
      const { invocationId } = await question(client);
      client.send({ kind: 'completion', invocationId, error: "Client didn't provide a result." });
      expect(await client.message()).toMatchObject({
        error:
          "An unexpected error occurred invoking 'rename' on the server. HubException: Client didn't provide a result.",
      });
    },
  );

  test('that leaves rejects at once, ERR_CLIENT_GONE (HP-28)', async () => {
    const host = new Host(options);
    const [asked, caller] = [
      await host.connect('json', { connectionId: 'a' }),
      await host.connect('json', { connectionId: 'b' }),
    ];
    caller.send(call('ask', ['a'], '1'));
    await question(asked);
    await asked.connection.end({ kind: 'connection_lost' });
    expect(await caller.message()).toMatchObject({ error: expect.stringContaining("Connection 'a' disconnected.") });
  });

  test('that is silent rejects after the deadline, ERR_TIMEOUT', async () => {
    const host = new Host(options);
    const [asked, caller] = [
      await host.connect('json', { connectionId: 'a' }),
      await host.connect('json', { connectionId: 'b' }),
    ];
    caller.send(call('askSoon', ['a'], '1'));
    const { invocationId } = await question(asked);
    expect(await caller.message()).toMatchObject({
      error: expect.stringContaining('waited 20 ms for the result of "askName" from connection "a"'),
    });
    asked.send(answer(invocationId, 'late'));
    expect([asked.rest(), asked.closed]).toEqual([[], undefined]);
  });

  test('is closed when it answers for another one, who is asked still (HP-29)', async () => {
    const host = new Host({ ...options, detailedErrors: false });
    const [a, b] = [
      await host.connect('json', { connectionId: 'a' }),
      await host.connect('json', { connectionId: 'b' }),
    ];
    a.send(call('rename', [], '1'));
    const { invocationId } = await question(a);
    b.send(answer(invocationId, 'forged'));
    expect(await b.message()).toMatchObject({ kind: 'close', error: 'Connection closed with an error.' });
    a.send(answer(invocationId, 'true'));
    expect(await a.message()).toMatchObject({ result: 'true' });
  });

  test('hears nothing of arguments that have no form', async () => {
    const client = await new Host({
      methods: { bad: (hub) => hub.clients.caller.invoke('askName', 1n) },
      detailedErrors: true,
    }).connect();
    client.send(call('bad', [], '1'));
    expect(await client.message()).toMatchObject({ error: expect.stringContaining('cannot be written as JSON') });
  });
});

describe('a client elsewhere', () => {
  test('is asked through the gateway, in every protocol, and its completion resolves the call', async () => {
    const host = new Host(options);
    const client = await host.connect();
    client.send(call('ask', ['far'], '1'));
    const { connectionId, invocationId, frames } = await host.gateway.question();
    expect([connectionId, [...frames.keys()]]).toEqual(['far', ['json', 'messagepack']]);
    host.runtime.results.completed(
      invocationId,
      'messagepack',
      messagePackHubProtocol.write(answer(invocationId, 7) as never),
    );
    expect(await client.message()).toMatchObject({ invocationId: '1', result: 7 });
  });

  test.each([
    [
      'is gone when the service says so',
      (host: Host, id: string) => host.runtime.results.failed(id, 'no such connection'),
      'no such connection',
    ],
    [
      'fails when its answer does not read',
      (host: Host, id: string) => host.runtime.results.completed(id, 'json', new Uint8Array(3)),
      'the answer must be a completion',
    ],
    ['is given up when the hub stops', (host: Host) => host.runtime.close(), 'the hub was stopped'],
  ])('%s', async (_what, end, text) => {
    const host = new Host(options);
    const client = await host.connect();
    client.send(call('ask', ['far'], '1'));
    end(host, (await host.gateway.question()).invocationId);
    expect(await client.message()).toMatchObject({ error: expect.stringContaining(text) });
  });

  test('on another link of this server is asked over the link of the caller, which is told of the end', async () => {
    const host = new Host(options);
    const gateway = new FakeGateway();
    const near = await host.connect('json', { connectionId: 'near', gateway });
    const caller = await host.connect('json', { connectionId: 'caller' });
    caller.send(call('ask', ['near'], '1'));
    const { invocationId } = await host.gateway.question();
    near.send(answer(invocationId, 'here'));
    expect(await caller.message()).toMatchObject({ result: 'here' });
    expect(gateway.answers).toEqual([{ invocationId, connectionId: 'near' }]);
  });
});

describe('a question of another server', () => {
  test('is answered through the gateway, with the bytes as they came', async () => {
    const host = new Host();
    const client = await host.connect();
    host.runtime.expect('far-1', 'c1');
    client.connection.receive(new TextEncoder().encode('{"type":3,"invocationId":"far-1","result":1.0}\u001e'));
    const [{ frame, ...facts } = {}] = host.gateway.answers as { frame?: Uint8Array }[];
    expect(facts).toEqual({ invocationId: 'far-1', connectionId: 'c1', protocol: 'json' });
    expect(Buffer.from(frame ?? []).toString()).toBe('{"type":3,"invocationId":"far-1","result":1.0}\u001e');
  });

  test('is answered once', async () => {
    const host = new Host();
    const client = await host.connect('messagepack');
    host.runtime.expect('far-1', 'c1');
    client.send(answer('far-1', 1), answer('far-1', 2));
    expect(host.gateway.answers).toHaveLength(1);
    expect(host.gateway.answers[0]?.frame).toEqual(messagePackHubProtocol.write(answer('far-1', 1) as never));
  });

  test('is forgotten when 1,000 later ones wait for the same client', async () => {
    const host = new Host();
    const client = await host.connect();
    for (let n = 0; n <= 1000; n++) host.runtime.expect(`far-${n}`, 'c1');
    client.send(answer('far-0', 0), answer('far-1', 1));
    expect(host.gateway.answers.map(({ invocationId }) => invocationId)).toEqual(['far-1']);
  });
});
