import { once } from 'node:events';
import { type Dispatcher, request } from 'undici';
import { WebSocket } from 'ws';
import type { Connection } from '../../src/core/connection.ts';
import type { TransportKind } from '../../src/core/transport.ts';
import { clientClaims, sign } from '../auth/sign.ts';
import { raw, upgradeHead } from '../http/raw.ts';
import { Inbox } from '../support/inbox.ts';
import { within } from '../support/until.ts';
import type { Door } from './start-door.ts';

/** One client by hand, over one transport. */
export interface Wire {
  /** The core's side of it. */
  readonly connection: Connection;
  /** What came, in order: whole units of the transport. */
  readonly inbox: Inbox<string>;
  /** Resolves when the transport is over for the client. */
  readonly over: Promise<void>;
  /** Resolves with the HTTP status where there is one, else 200. */
  say(text: string): Promise<number>;
  /** Stops to read, as a client that hangs. */
  pause(): void;
  leave(): void;
}

/** What a client shows. */
export interface WireOptions {
  readonly claims?: object;
}

/** A bearer token of a client. */
export function bearer(claims: object = {}, hub = 'chat'): Record<string, string> {
  return { authorization: `Bearer ${sign(clientClaims(hub, claims))}` };
}

/** Negotiates; gives the id and the secret. */
export async function negotiated(
  door: Door,
  claims: object = {},
): Promise<{ connectionId: string; connectionToken: string }> {
  const url = `${door.url}/client/negotiate?hub=chat&negotiateVersion=1`;
  const answer = await request(url, { method: 'POST', headers: bearer(claims) });
  return (await answer.body.json()) as Awaited<ReturnType<typeof negotiated>>;
}

/** What a request to the base path is answered with. */
export interface Answered {
  readonly status: number;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** One request to the base path. */
export async function ask(
  door: Door,
  method: Dispatcher.HttpMethod,
  query: string,
  more: {
    readonly headers?: Record<string, string>;
    readonly body?: string | Uint8Array;
    readonly signal?: AbortSignal;
  } = {},
): Promise<Answered> {
  const { headers = bearer(), ...rest } = more;
  const answer = await request(`${door.url}/client/?hub=chat${query}`, { method, headers, ...rest });
  return {
    status: answer.statusCode,
    body: Buffer.from(await answer.body.arrayBuffer()),
    headers: answer.headers,
  };
}

/** What an upgrade at the base path is answered with; the socket is given up. @param lines of its head */
export async function upgraded(door: Door, query: string, ...lines: string[]): Promise<string> {
  const socket = await raw(door.port, upgradeHead(`/client/${query}`, ...lines));
  await socket.until('\r\n\r\n');
  const length = /Content-Length: (\d+)/.exec(socket.text())?.[1] ?? '0';
  const whole = new RegExp(`\\r\\n\\r\\n[^]{${length}}`);
  while (!whole.test(socket.text())) await once(socket.socket, 'came');
  socket.socket.destroy();
  return socket.text();
}

/** The status of an answer that {@link upgraded} gives. */
export function statusOf(answer: string): number {
  return Number(answer.split(' ')[1]);
}

/** The body of an answer that {@link upgraded} gives. */
export function bodyOf(answer: string): string {
  return answer.slice(answer.indexOf('\r\n\r\n') + 4);
}

/** Connects by hand, each transport in its own way. */
export const wires: Readonly<Record<TransportKind, (door: Door, options?: WireOptions) => Promise<Wire>>> = {
  WebSockets: connectSocket,
  ServerSentEvents: connectEvents,
  LongPolling: connectPolling,
};

function arrivedAt(door: Door): Connection {
  const connection = door.clients.arrived.at(-1);
  if (connection === undefined) throw new Error('the core heard of no connection');
  return connection;
}

async function connectSocket(door: Door, { claims = {} }: WireOptions = {}): Promise<Wire> {
  const { connectionToken } = await negotiated(door, claims);
  const url = `ws://127.0.0.1:${door.port}/client/?hub=chat&id=${connectionToken}`;
  const socket = new WebSocket(url, { headers: bearer(claims) });
  const inbox = new Inbox<string>();
  socket.on('message', (data: Buffer) => inbox.add(data.toString()));
  socket.on('error', () => undefined); // `over` tells
  const over = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await once(socket, 'open');
  return {
    connection: arrivedAt(door),
    inbox,
    over,
    say: async (text) => {
      await new Promise<void>((resolve) => socket.send(text, () => resolve()));
      return 200;
    },
    pause: () => socket.pause(),
    leave: () => socket.terminate(),
  };
}

/** Events as a receiver reads them: data lines joined by LF. */
function eventsOf(text: string): string[] {
  const blocks = text.split(/\r\n\r\n/).slice(0, -1);
  return blocks.map((block) =>
    block
      .split('\r\n')
      .filter((line) => line.startsWith('data: '))
      .map((line) => line.slice('data: '.length))
      .join('\n'),
  );
}

async function connectEvents(door: Door, { claims = {} }: WireOptions = {}): Promise<Wire> {
  const { connectionToken } = await negotiated(door, claims);
  const abort = new AbortController();
  const headers = { ...bearer(claims), accept: 'text/event-stream' };
  const url = `${door.url}/client/?hub=chat&id=${connectionToken}`;
  const { statusCode, body } = await request(url, { headers, signal: abort.signal });
  if (statusCode !== 200) throw new Error(`the stream was answered with ${statusCode}`);
  const inbox = new Inbox<string>();
  let text = '';
  let told = 0;
  body.on('data', (bytes: Buffer) => {
    text += bytes.toString();
    const events = eventsOf(text.slice(text.indexOf('\n') + 1));
    for (; told < events.length; told++) inbox.add(events[told] ?? '');
  });
  body.on('error', () => undefined); // `over` tells
  const over = new Promise<void>((resolve) => body.once('close', () => resolve()));
  return {
    connection: arrivedAt(door),
    inbox,
    over,
    say: async (said) =>
      (await ask(door, 'POST', `&id=${connectionToken}`, { headers: bearer(claims), body: said })).status,
    pause: () => void body.pause(),
    leave: () => abort.abort(),
  };
}

async function connectPolling(door: Door, { claims = {} }: WireOptions = {}): Promise<Wire> {
  const { connectionToken } = await negotiated(door, claims);
  const headers = bearer(claims);
  const id = `&id=${connectionToken}`;
  const first = await within('the first poll is answered', ask(door, 'GET', id, { headers }));
  if (first.status !== 200 || first.body.length > 0) throw new Error(`the first poll gave ${first.status}`);
  const inbox = new Inbox<string>();
  let paused = false;
  const over = (async () => {
    while (!paused) {
      const { status, body } = await ask(door, 'GET', id, { headers });
      if (status !== 200) return;
      if (body.length > 0) inbox.add(body.toString());
    }
    await new Promise(() => undefined);
  })();
  return {
    connection: arrivedAt(door),
    inbox,
    over,
    say: async (said) => (await ask(door, 'POST', id, { headers, body: said })).status,
    pause: () => {
      paused = true;
    },
    leave: () => void ask(door, 'DELETE', id, { headers }),
  };
}
