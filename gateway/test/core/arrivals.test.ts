import { handshakeRequest, hubProtocol } from '@signalbox/app-sdk/protocol';
import { describe, expect, it } from 'vitest';
import type { App, Client } from '../../src/core/app.ts';
import { ServerlessApp } from '../../src/upstream/serverless-app.ts';
import { sendTo, to } from '../support/commands.ts';
import { turn } from '../support/connections.ts';
import { startAlone, startCores } from '../support/cores.ts';
import { EventLog } from '../support/event-log.ts';
import type { FakeClient } from '../support/fake-client.ts';

const accepted = '{}';
const canceled = '{"error":"Handshake was canceled."}';

async function refused(client: FakeClient): Promise<string | undefined> {
  await client.until(() => client.transport.ended);
  return client.answer;
}

describe('the handshake of a client', () => {
  it.each(['json', 'messagepack'] as const)(
    'may be cut at every byte, and what follows it is read: %s',
    async (protocol) => {
      await using alone = await startAlone();
      const ping = hubProtocol(protocol)!.write({ kind: 'ping' });
      const stream = Buffer.concat([handshakeRequest(protocol, 1), ping]);
      for (let cut = 1; cut < stream.length; cut++) {
        const client = alone.arrive({ protocol });
        client.say(stream.subarray(0, cut));
        client.say(stream.subarray(cut));
        await client.until(() => client.answer !== undefined);
        expect(client.answer).toBe(accepted);
        expect(client.connection.pings).toBe(true);
      }
      const bytewise = alone.arrive({ protocol });
      for (const byte of stream) bytewise.say(Uint8Array.of(byte));
      await bytewise.until(() => bytewise.answer !== undefined);
      expect(bytewise.connection.pings).toBe(true);
    },
  );

  it.each(['messagepack', 'MessagePack', 'blazorpack'])(
    'for %s is refused over server-sent events, which carry no binary, by the gateway and before any app',
    async (name) => {
      const apps = [undefined, { refusal: () => undefined, opened: () => undefined } as unknown as App];
      for (const app of apps) {
        await using alone = await startAlone(app && { app });
        const client = alone.arrive();
        client.transport.kind = 'ServerSentEvents';
        client.say(`{"protocol":"${name}","version":1}\u001e`);
        expect(JSON.parse((await refused(client)) ?? '')).toEqual({
          error: `Cannot use the '${name}' protocol on the current transport. The transport does not support 'Binary' transfer format.`,
        });
      }
    },
  );

  it('is answered once, in three pieces with a ping behind it (HP-2)', async () => {
    await using alone = await startAlone();
    const request = Buffer.from(handshakeRequest('json', 1));
    const client = alone.arrive();
    client.say(request.subarray(0, 1));
    client.say(request.subarray(1));
    client.say('{"type":6}\u001e');
    await turn();
    await turn();
    expect(client.transport.text).toBe('{}\u001e');
    expect(client.connection.pings).toBe(true);
  });

  it('may bring an invocation along (HP-3)', async () => {
    await using alone = await startAlone();
    const client = alone.arrive();
    client.say(
      '{"protocol":"json","version":1}\u001e{"type":1,"invocationId":"7","target":"Add","arguments":[]}\u001e',
    );
    await client.until(() => client.messages.length === 1);
    expect(client.messages[0]).toMatchObject({ kind: 'completion', invocationId: '7' });
  });

  it('takes version 0 (HP-5) and any case of the protocol name (HP-6)', async () => {
    await using alone = await startAlone();
    for (const request of [
      '{"protocol":"json","version":0}',
      '{"protocol":"JSON","version":1}',
      '{"version":2,"protocol":"json"}',
    ]) {
      const client = alone.arrive();
      client.say(`${request}\u001e`);
      await client.until(() => client.answer !== undefined);
      expect(client.answer).toBe(accepted);
    }
  });

  it.each([
    ['{"protocol":"xml","version":1}', "The protocol 'xml' is not supported."],
    ['{"protocol":"json","version":3}', "The server does not support version 3 of the 'json' protocol."],
    ['{"protocol":"messagepack","version":3}', "The server does not support version 3 of the 'messagepack' protocol."],
    ['{"protocol":"json"}', 'An unexpected error occurred during connection handshake.'],
    ['garbage', 'An unexpected error occurred during connection handshake.'],
    ['', 'An unexpected error occurred during connection handshake.'],
    ['{"type":6}', 'An unexpected error occurred during connection handshake.'],
  ])('is refused with the words of the official server: %s', async (request, error) => {
    await using alone = await startAlone();
    const client = alone.arrive({ userId: 'ann' });
    client.say(`${request}\u001e`);
    expect(await refused(client)).toBe(JSON.stringify({ error }));
    expect(alone.log.of('connectionRefused')).toEqual([['bad_message']]);
    expect(alone.log.of('connectionOpened')).toEqual([]);
    client.say('{"protocol":"json","version":1}\u001e');
    expect([alone.core.registry.size, [...alone.core.arrivals.opening]]).toEqual([0, []]);
  });

  it('is refused when it is larger than its bound, whole or not (HP-8)', async () => {
    await using alone = await startAlone({ config: { handshakeBytes: 256 } });
    const request = (bytes: number): string => {
      const start = '{"protocol":"json","version":1,"padding":"';
      return `${start}${'x'.repeat(bytes - start.length - 3)}"}\u001e`;
    };
    const fits = alone.arrive();
    fits.say(request(256));
    await fits.until(() => fits.answer !== undefined);
    expect(fits.answer).toBe(accepted);
    const whole = alone.arrive();
    whole.say(request(257));
    expect(await refused(whole)).toBe(canceled);
    const endless = alone.arrive();
    for (let i = 0; i < 257; i++) endless.say('x');
    expect(await refused(endless)).toBe(canceled);
    expect(alone.log.of('connectionRefused')).toEqual([['too_large'], ['too_large']]);
  });

  it('is refused when it does not come in its time (HP-7)', async () => {
    await using alone = await startAlone();
    const client = alone.arrive({ handshakeMs: 100 });
    client.say('{"protocol":');
    expect(await refused(client)).toBe(canceled);
    expect(alone.log.of('connectionRefused')).toEqual([['handshake_timeout']]);
    expect([...alone.core.arrivals.opening]).toEqual([]);
  });

  it('is refused when too much comes behind it before it is answered', async () => {
    await using cores = await startCores(1, { config: { clientMessageBytes: 1_024 } });
    const client = cores.at(0).arrive();
    client.say(handshakeRequest('json', 1));
    client.say('x'.repeat(1_024));
    client.say('x');
    expect(await refused(client)).toBe(canceled);
    await turn();
    expect(cores.at(0).core.registry.size).toBe(0);
  });

  it('leaves nothing behind when the client goes in the middle of it', async () => {
    await using cores = await startCores(1, { config: { lingerMs: 0 } });
    const { arrive, core, log } = cores.at(0);
    for (const said of [Buffer.of(), Buffer.from('{"proto'), handshakeRequest('json', 1)]) {
      const client = arrive({ userId: 'ann' });
      client.say(said);
      client.leave();
      await turn();
      expect(client.transport.frames).toEqual([]);
    }
    core.watches.sweep();
    expect([core.registry.size, core.watches.size, [...core.arrivals.opening]]).toEqual([0, 0, []]);
    expect(log.of('connectionRefused')).toHaveLength(3);
    expect(log.of('connectionOpened')).toEqual([]);
  });

  it('is answered only when the topics are watched; meanwhile direct sends wait and broadcasts pass', async () => {
    await using cores = await startCores(2);
    const [here, there] = [cores.at(0), cores.at(1)];
    const watch = here.backplane.watch.bind(here.backplane);
    let go: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (go = resolve));
    here.backplane.watch = async (topic) => {
      await watch(topic);
      await held;
    };
    const client = here.arrive({ userId: 'ann' });
    client.say(handshakeRequest('json', 1));
    await there.core.router.send(sendTo(to.all, 'broadcast'), 'rest');
    await there.core.router.send(sendTo(to.user('ann'), 'direct'), 'rest');
    await turn();
    expect(client.transport.frames).toEqual([]);
    go();
    await client.hears('direct');
    expect([client.answer, client.heard]).toEqual([accepted, ['direct']]);
  });

  it('is refused as busy when a topic cannot be watched although Redis is there', async () => {
    await using cores = await startCores(1);
    const { arrive, backplane, core, log } = cores.at(0);
    backplane.watch = () => Promise.reject(new Error('too slow'));
    const client = arrive();
    client.say(handshakeRequest('json', 1));
    expect(await refused(client)).toBe('{"error":"The service is busy: try again."}');
    expect(log.of('connectionRefused')).toEqual([['limit']]);
    expect(core.registry.size).toBe(0);
  });

  it('counts direct sends that do not fit while the client is not handshaken', async () => {
    await using cores = await startCores(2, { config: { welcomeQueueBytes: 100 } });
    const { arrive, core, log } = cores.at(0);
    const client = arrive({ userId: 'ann' });
    client.say(handshakeRequest('json', 1));
    await core.router.send(sendTo(to.user('ann'), 'x'.repeat(100)), 'link');
    await core.router.send(sendTo(to.user('ann'), 'fits'), 'link');
    await client.hears('fits');
    expect(log.drops).toEqual({ not_handshaken: 1 });
  });

  it('hands the app all that the client says behind its request, in order, also when the app answers late', async () => {
    const log = new EventLog();
    const app = new LateApp(log);
    await using alone = await startAlone({ app });
    const client = alone.arrive();
    client.say('{"protocol":"json","version":1}\u001eone ');
    await app.until(() => app.client !== undefined);
    client.say('two ');
    app.client?.accept({ bytes: Buffer.from('{}\u001e'), binary: false });
    client.say('three');
    expect(app.heard).toBe('one two three');
    client.leave();
    expect(app.ends).toEqual(['client_left']);
  });
});

/** Answers the handshake when the test wants it. */
class LateApp extends EventLog implements App {
  readonly mode = 'default';
  readonly pings = false;
  readonly ends: string[] = [];
  readonly refusal: App['refusal'];
  client: Client | undefined;
  heard = '';

  constructor(log: EventLog) {
    super();
    const serverless = new ServerlessApp({ events: log.events, messageBytes: 1_024, completed: () => undefined });
    this.refusal = (request) => serverless.refusal(request);
  }

  opened(client: Client): void {
    this.client = client;
    this.changed();
  }

  received(_client: Client, bytes: Uint8Array): void {
    this.heard += Buffer.from(bytes).toString();
  }

  left(_client: Client, reason: string): void {
    this.ends.push(reason);
  }
}
