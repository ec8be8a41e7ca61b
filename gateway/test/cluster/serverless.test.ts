import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { defineHub, HubException, type NegotiateOptions, WebhookApp } from '@signalbox/app-sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Inbox } from '../support/inbox.ts';
import { OfficialClient, type OfficialOptions } from '../support/official-client.ts';
import { connectionString, type Service, startService } from '../support/service.ts';
import { accessKey } from '../support/tokens.ts';
import { within } from '../support/until.ts';

interface Poll {
  server: {
    echo(value: unknown): unknown;
    full(): void;
    note(n: number): void;
    join(group: string): void;
    tellGroup(group: string, text: string): void;
    tellOthers(text: string): number;
    askCaller(): string;
    whoAmI(): string;
  };
  client: { news(text: string): void; askName(): string };
}

/** What the app was told, in order: `{user} {what}`. */
const told = new Inbox<string>();

const poll = defineHub<Poll>({
  name: 'poll',
  methods: {
    echo: (_hub, value) => value,
    full: () => {
      throw new HubException('Room is full');
    },
    note: (hub, n) => told.add(`${hub.context.userId} note ${n}`),
    join: (hub, group) => hub.groups.join(group),
    tellGroup: (hub, group, text) => hub.clients.group(group).news(text),
    async tellOthers(hub, text) {
      await hub.clients.others.news(text);
      return text.length;
    },
    askCaller: (hub) => hub.clients.caller.invoke('askName'),
    whoAmI: ({ context }) =>
      `${context.userId} ${context.claims.get('role')} ${context.query.get('room')} ${context.path}`,
  },
  onConnected(hub) {
    if (hub.context.userId === 'mallory') throw new HubException('Go away');
    told.add(`${hub.context.userId} connected`);
  },
  onDisconnected: (hub, { kind }) => told.add(`${hub.context.userId} ${kind}`),
});

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

let server: Server;
let service: Service;
let webhooks: WebhookApp;
const clients: OfficialClient[] = [];

beforeAll(async () => {
  server = createServer((request, response) => webhooks.node(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}/upstream/{hub}/{event}`;
  const keys = `another-key-that-signs-as-well-0123456789,${accessKey}`;
  service = await startService({ env: { SIGNALBOX_UPSTREAM: upstream, SIGNALBOX_ACCESS_KEY: keys } });
  webhooks = new WebhookApp(connectionString(service.balancer.origin), { hubs: [poll], logger: silent });
});

afterAll(async () => {
  await Promise.all(clients.map((one) => one.stop()));
  await webhooks?.close();
  await service?.[Symbol.asyncDispose]();
  server.closeAllConnections();
  server.close();
});

/** A client of the hub; `at`: of this node. */
async function client(options: OfficialOptions & NegotiateOptions & { at?: number } = {}): Promise<OfficialClient> {
  const { protocol, at, ...negotiate } = options;
  const hub = at === undefined ? webhooks.hub(poll) : service.app('poll', at);
  const made = await OfficialClient.connect(await hub.negotiate(negotiate), protocol === undefined ? {} : { protocol });
  clients.push(made);
  return made;
}

const of = (user: string): string[] => told.items.filter((line) => line.startsWith(`${user} `));

describe.each(['json', 'messagepack'] as const)('an official client in %s, of a hub behind webhooks', (protocol) => {
  test('calls methods, with who it is, and is told why they fail', async () => {
    const { connection } = await client({
      protocol,
      userId: 'änn',
      claims: { role: 'a, b: c' },
      request: { url: '/poll/negotiate?room=7' },
    });
    expect(await connection.invoke('echo', { n: 1, list: ['ü', null] })).toEqual({ n: 1, list: ['ü', null] });
    expect(await connection.invoke('whoAmI')).toBe('änn a, b: c 7 /poll');
    await expect(connection.invoke('full')).rejects.toThrow('HubException: Room is full');
    await expect(connection.invoke('nothing')).rejects.toThrow(
      "Failed to invoke 'nothing' due to an error on the server. HubException: Method does not exist.",
    );
    const stream = new Promise((_, reject) =>
      connection.stream('echo', 1).subscribe({ next: () => undefined, complete: () => undefined, error: reject }),
    );
    await expect(stream).rejects.toThrow('a serverless hub takes no streams');
  });

  test('hears what the calls of clients on another node send: to others, to its group, to itself', async () => {
    const [one, other] = await Promise.all([client({ protocol, at: 0 }), client({ protocol, at: 1 })]);
    expect(await one.connection.invoke('tellOthers', 'hello')).toBe(5);
    await other.heard('hello');
    await other.connection.invoke('join', `room ${protocol}`);
    await one.connection.invoke('tellGroup', `room ${protocol}`, 'to the room');
    await other.heard('to the room');
    expect(one.inbox.items).toEqual([]);
    one.connection.on('askName', () => 'Ann');
    expect(await one.connection.invoke('askCaller')).toBe('Ann');
  });

  test('has its messages told in order, between its coming and its going', async () => {
    const user = `order-${protocol}`;
    const one = await client({ protocol, userId: user });
    for (let n = 0; n < 50; n++) void one.connection.send('note', n);
    await one.connection.invoke('echo', 'fence');
    await one.stop();
    await told.one(`${user} left`, (line) => line === `${user} client_left`);
    const notes = Array.from({ length: 50 }, (_, n) => `${user} note ${n}`);
    expect(of(user)).toEqual([`${user} connected`, ...notes, `${user} client_left`]);
  });
});

test('a client that the hub does not want is closed for good, and its end is not told', async () => {
  // The Close may come while the official client still starts, or just after.
  const end = client({ userId: 'mallory' }).then(
    (one) => one.closed,
    (error: unknown) => error as Error,
  );
  expect((await within('mallory is closed', end))?.message).toContain('Connection closed with an error.');
  expect(of('mallory')).toEqual([]);
});

test('a client that the app closes is told of as closed, once', async () => {
  const one = await client({ userId: 'bob' });
  await webhooks.hub(poll).connections.close({ user: 'bob' });
  await within('bob is closed', one.closed);
  await told.one('bob was closed', (line) => line === 'bob closed_by_app');
  expect(of('bob')).toEqual(['bob connected', 'bob closed_by_app']);
});

test('a node that stops tells of the end of its clients before it exits', async () => {
  await client({ userId: 'last', at: 1 });
  const node = service.node(1);
  node.signal('SIGTERM');
  expect((await within('the node exits', node.ended)).code).toBe(0);
  expect(of('last')).toEqual(['last connected', 'last drain']);
});
