import type { AnyContract, DisconnectReason, Hub, HubCallerContext } from '@signalbox/app-sdk';
import { describe, expect, test } from 'vitest';
import type { HubMessage } from '../../src/protocol/hub.ts';
import { jsonHubProtocol } from '../../src/protocol/hub-json.ts';
import type { ServiceMessageOf } from '../../src/protocol/service.ts';
import { chatHub, linkSetup } from '../support/link-setup.ts';
import type { ServedLink } from '../support/service.ts';
import { until } from '../support/until.ts';

const setup = linkSetup();

const invocation = (target: string, ...args: unknown[]): HubMessage => ({
  kind: 'invocation',
  invocationId: '1',
  target,
  arguments: args,
});

function said({ payload }: ServiceMessageOf<'ConnectionData'>): HubMessage | undefined {
  return jsonHubProtocol.parse(payload.subarray(0, -1));
}

async function answer(link: ServedLink): Promise<HubMessage | undefined> {
  return said(await link.next('ConnectionData'));
}

/** A hub that tells what it sees of its clients. */
function watchedHub() {
  const opened: HubCallerContext<unknown>[] = [];
  const closed: DisconnectReason[] = [];
  let tellClosed: () => void = () => undefined;
  const gone = new Promise<void>((resolve) => {
    tellClosed = resolve;
  });
  const hub = chatHub({
    methods: { echo: (_hub: unknown, value: unknown) => value },
    onConnected: ({ context }) => void opened.push(context),
    onDisconnected: (_hub, reason) => {
      closed.push(reason);
      tellClosed();
    },
  });
  return { hub, opened, closed, gone };
}

describe('a client that the service opens', () => {
  test('is answered with the bytes of the worked trace', async () => {
    const { link } = await setup.started();
    link.write(
      Buffer.from(
        '509604a2633181aa617372732e732e756964a2753181af582d466f727761726465642d466f7291a831302e302e302e31b93f6875623d6368617426617372732e6f703d253246636861748103a46a736f6e289406a26331c4207b2270726f746f636f6c223a226a736f6e222c2276657273696f6e223a317d1e80',
        'hex',
      ),
    );
    await link.next('ConnectionData');
    expect(Buffer.from(link.bodies.at(-1) ?? []).toString('hex')).toBe('9406a26331c4037b7d1e810501');
  });

  test('is known to its hub by all that the service says of it', async () => {
    const { hub, opened } = watchedHub();
    const { link, server } = await setup.started(hub);
    await link.connect('c1', {
      claims: [
        ['asrs.s.uid', 'u1'],
        ['role', 'a'],
        ['role', 'b'],
      ],
      headers: [
        ['X-Forwarded-For', ['1.1.1.1, 2.2.2.2']],
        ['User-Agent', ['x']],
      ],
      queryString: '?hub=chat&asrs.op=%2Fchat&room=1',
    });
    link.from('c1', invocation('echo'));
    await answer(link);
    const [context] = opened;
    expect(context).toMatchObject({
      connectionId: 'c1',
      userId: 'u1',
      path: '/chat',
      remoteAddress: '1.1.1.1',
      protocol: 'json',
    });
    expect(context?.claims.all('role')).toEqual(['a', 'b']);
    expect(context?.headers.get('user-agent')).toBe('x');
    expect(context?.query.get('room')).toBe('1');
    expect(server.health().hubs.chat?.clients).toBe(1);
  });

  test.each([['garbage'], ['']])('has no remote address when the service says %j', async (address) => {
    const { hub, opened } = watchedHub();
    const { link } = await setup.started(hub);
    await link.connect('c1', { headers: [['x-forwarded-for', [address]]] });
    link.from('c1', invocation('echo'));
    await answer(link);
    expect(opened[0]?.remoteAddress).toBeUndefined();
  });

  test('calls methods and gets results, of the type that the service is told', async () => {
    const { link } = await setup.started(watchedHub().hub);
    await link.connect('c1');
    link.from('c1', invocation('echo', 'hi'));
    const data = await link.next('ConnectionData');
    expect(data).toMatchObject({ connectionId: 'c1', extensions: { dataType: 2 } });
    expect(said(data)).toMatchObject({ kind: 'completion', result: 'hi' });
  });

  test('is heard whatever the cuts of frames, messages and fragments', async () => {
    const { link } = await setup.started(watchedHub().hub);
    await link.connect('c1');
    const payload = jsonHubProtocol.write(invocation('echo', 'x'.repeat(300)));
    const { writeServiceMessage } = await import('../../src/protocol/service.ts');
    const whole = Buffer.concat([
      writeServiceMessage({
        kind: 'ConnectionData',
        connectionId: 'c1',
        payload: payload.subarray(0, 100),
        extensions: { isPartial: true },
      }),
      writeServiceMessage({ kind: 'ConnectionData', connectionId: 'c1', payload: payload.subarray(100) }),
    ]);
    for (let at = 0; at < whole.length; at += 7) link.write(whole.subarray(at, at + 7));
    expect(await answer(link)).toMatchObject({ kind: 'completion', result: 'x'.repeat(300) });
  });

  test('does not disturb the link when it is unknown, or the message is, or cannot be read', async () => {
    const { link } = await setup.started(watchedHub().hub);
    link.from('nobody', invocation('echo'));
    link.say({ kind: 'CloseConnection', connectionId: 'nobody', errorMessage: '', headers: [] });
    link.write(Buffer.from('0592ccc8a178', 'hex'));
    link.write(Buffer.from('03920601', 'hex'));
    await link.connect('c1');
    expect(setup.logger.warn).toHaveBeenCalledWith(
      expect.objectContaining({ hub: 'chat' }),
      'service message passed over',
    );
  });
});

describe('what one call sends', () => {
  test('arrives in the order sent, its result included, all over the link of its connection', async () => {
    const chat = chatHub({
      methods: {
        async run(hub: Hub<AnyContract>) {
          void hub.clients.caller.send('a', 1);
          void hub.clients.all.send('b', 2);
          const joined = hub.groups.join('g');
          void hub.clients.group('g').send('c', 3);
          await joined;
          return 4;
        },
      },
    });
    const { links } = await setup.started(chat, { links: 3 });
    const last = links.at(-1) as ServedLink;
    await last.connect('c1');
    const before = last.received.length;
    last.from('c1', invocation('run'));
    last.ack((await last.next('JoinGroupWithAck')).ackId);
    expect(await answer(last)).toMatchObject({ result: 4 });
    expect(last.received.slice(before).map(({ kind }) => kind)).toEqual([
      'MultiConnectionData',
      'BroadcastData',
      'JoinGroupWithAck',
      'GroupBroadcastData',
      'ConnectionData',
    ]);
    for (const other of links.slice(0, -1))
      expect(other.received.map(({ kind }) => kind)).toEqual(['HandshakeRequest']);
  });
});

describe('the end of a client', () => {
  test.each([
    ['', 'client_left', undefined],
    ['Transport failed.', 'other', 'Transport failed.'],
    ['Closed by the service: idle.', 'idle', 'Closed by the service: idle.'],
    ['Closed by the service: node_lost.', 'connection_lost', 'Closed by the service: node_lost.'],
    ['Closed by the service: constructor.', 'other', 'Closed by the service: constructor.'],
  ])('with the text %j is %s, and is not answered', async (errorMessage, kind, text) => {
    const { hub, closed, gone } = watchedHub();
    const { link, hub: context } = await setup.started(hub);
    await link.connect('c1');
    link.say({ kind: 'CloseConnection', connectionId: 'c1', errorMessage, headers: [] });
    await gone;
    expect(closed).toEqual([text === undefined ? { kind } : { kind, error: new Error(text) }]);
    await context.clients.all.send('done');
    await link.next('BroadcastData');
    expect(link.received.filter((message) => message.kind === 'CloseConnection')).toEqual([]);
  });

  test('by its hub is told to the service behind the Close message, and not told back', async () => {
    const chat = chatHub({
      methods: { leave: (hub: { context: HubCallerContext<unknown> }) => hub.context.abort('enough') },
    });
    const { link, server } = await setup.started(chat);
    await link.connect('c1');
    link.from('c1', invocation('leave'));
    const data = await link.next('ConnectionData');
    expect(said(data)).toMatchObject({ kind: 'close', error: 'enough' });
    expect(data.extensions?.dataType).toBe(4);
    expect(await link.next('CloseConnection')).toMatchObject({
      connectionId: 'c1',
      errorMessage: 'enough',
      headers: [],
    });
    await until(() => server.health().hubs.chat?.clients === 0);
  });

  test('comes to those of a node that died, and to no others', async () => {
    const { hub, closed, gone } = watchedHub();
    const { link, server } = await setup.started(hub);
    await link.connect('c1', { headers: [['Asrs-Instance-Id', ['n1']]] });
    await link.connect('c2', { headers: [['asrs-instance-id', ['n2']]] });
    link.say({ kind: 'Ping', pairs: [['offline', 'n1']] });
    await gone;
    expect(closed).toMatchObject([{ kind: 'connection_lost' }]);
    expect(server.health().hubs.chat?.clients).toBe(1);
  });

  test('comes to all of a link when the node that died has no name', async () => {
    const { hub, gone } = watchedHub();
    const { links, server } = await setup.started(hub, { links: 2 });
    const [first, second] = links as [ServedLink, ServedLink];
    await first.connect('c1', { headers: [['Asrs-Instance-Id', ['n1']]] });
    await second.connect('c2');
    first.say({ kind: 'Ping', pairs: [['offline', '']] });
    await gone;
    expect(server.health().hubs.chat?.clients).toBe(1);
  });
});

describe('a link whose queue is full', () => {
  test('refuses sends, and ends a client that would miss a message', async () => {
    const { hub, closed, gone } = watchedHub();
    const { link, hub: context } = await setup.started(hub, { maxQueuedBytes: 1 << 20 });
    await link.connect('c1');
    link.pause();
    const big = 'x'.repeat(200_000);
    const full = (): boolean => setup.facts.some(({ fact }) => fact === 'failed');
    while (!full()) {
      void context.clients.all.send('x', big);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(setup.facts).toContainEqual({ fact: 'failed', hub: 'chat', to: 'all', code: 'ERR_QUEUE_FULL' });
    for (let n = 0; n < 30; n++) link.from('c1', invocation('echo', 'x'.repeat(30_000)));
    await gone;
    expect(closed).toMatchObject([{ kind: 'other', error: { code: 'ERR_QUEUE_FULL' } }]);
    link.resume();
    expect(await link.next('CloseConnection')).toMatchObject({ connectionId: 'c1' });
  });
});

describe('a client that moves', () => {
  test('away ends here without a word to the service', async () => {
    const { hub, closed, gone } = watchedHub();
    const { link, hub: context } = await setup.started(hub);
    await link.connect('c1');
    link.say({
      kind: 'CloseConnection',
      connectionId: 'c1',
      errorMessage: '',
      headers: [['Asrs-Migrate-To', ['other']]],
    });
    await gone;
    expect(closed).toEqual([{ kind: 'migrated' }]);
    await context.clients.all.send('done');
    await link.next('BroadcastData');
    expect(link.received.map(({ kind }) => kind)).toEqual(['HandshakeRequest', 'ConnectionData', 'BroadcastData']);
  });

  test('here is not answered its handshake again', async () => {
    const { link } = await setup.started(watchedHub().hub);
    link.open('c1', { headers: [['Asrs-Migrate-From', ['other']]] });
    link.from('c1', invocation('echo', 'hi'));
    expect(await answer(link)).toMatchObject({ kind: 'completion', result: 'hi' });
    expect(link.received.filter(({ kind }) => kind === 'ConnectionData')).toHaveLength(1);
  });

  test('gets nothing while the service has paused it, and what waited when it goes on', async () => {
    const { link, hub } = await setup.started(watchedHub().hub);
    await link.connect('c1');
    const flow = (operation: number) =>
      link.say({ kind: 'ConnectionFlowControl', connectionId: 'c1', connectionType: 1, operation });
    flow(1);
    expect(await link.next('ConnectionFlowControl')).toMatchObject({
      connectionId: 'c1',
      connectionType: 1,
      operation: 2,
    });
    link.from('c1', invocation('echo', 'later'));
    link.say({ kind: 'Ping', pairs: [['echo', '1']] });
    await link.ping('echo');
    await hub.clients.all.send('meanwhile');
    await link.next('BroadcastData');
    expect(link.received.at(-1)?.kind).toBe('BroadcastData');
    flow(3);
    expect(await answer(link)).toMatchObject({ result: 'later' });
  });
});
