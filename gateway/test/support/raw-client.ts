import { WebSocket } from 'ws';
import { Inbox } from './inbox.ts';
import { clientToken } from './tokens.ts';
import { within } from './until.ts';

/** A hub message as JSON; the handshake response is `{}`. */
export type RawMessage = Readonly<Record<string, unknown>>;

/** Who connects, and how. */
export interface RawClientOptions {
  readonly hub: string;
  readonly user?: string;
  /** In place of a good token. */
  readonly token?: string;
  /** A connection token that was negotiated; without one the id is made at the upgrade. */
  readonly id?: string;
}

/** The cheapest honest client: a bare WebSocket and the JSON hub protocol by hand. */
export class RawClient {
  readonly inbox = new Inbox<RawMessage>();
  readonly socket: WebSocket;
  /** The close code of the WebSocket. */
  readonly closed: Promise<number>;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => {
      for (const record of data.toString().split('\x1e')) {
        if (record !== '') this.inbox.add(JSON.parse(record) as RawMessage);
      }
    });
    socket.on('error', () => undefined); // `closed` tells
    this.closed = new Promise((resolve) => socket.once('close', resolve));
  }

  /** Resolves when the WebSocket is open; nothing was said yet. Rejects with the HTTP status when it is refused. */
  static async open(port: number, options: RawClientOptions): Promise<RawClient> {
    const token = options.token ?? (await clientToken(options.hub, options.user));
    const id = options.id === undefined ? '' : `&id=${options.id}`;
    const socket = new WebSocket(`ws://127.0.0.1:${port}/client/?hub=${options.hub}${id}&access_token=${token}`);
    const client = new RawClient(socket);
    await within(
      'the WebSocket opens',
      new Promise<void>((resolve, reject) => {
        socket.once('open', resolve);
        socket.once('unexpected-response', (_, answer) => {
          reject(new Error(`refused with ${answer.statusCode}`));
          socket.terminate();
        });
        socket.once('error', reject);
      }),
    );
    return client;
  }

  /** Resolves in the very turn in which the client is told that it is connected. */
  static async connect(port: number, options: RawClientOptions): Promise<RawClient> {
    const client = await RawClient.open(port, options);
    client.say({ protocol: 'json', version: 1 });
    await client.inbox.until('the handshake response', (items) => items.length > 0);
    const [response] = client.inbox.items;
    if (response?.['error'] !== undefined) throw new Error(String(response['error']));
    return client;
  }

  say(message: RawMessage): void {
    this.socket.send(`${JSON.stringify(message)}\x1e`);
  }

  /** Resolves when an invocation with this first argument came. */
  heard(first: unknown, deadlineMs?: number): Promise<void> {
    const fits = (one: RawMessage): boolean => Array.isArray(one['arguments']) && one['arguments'][0] === first;
    return this.inbox.one(`an invocation with ${JSON.stringify(first)}`, fits, deadlineMs);
  }

  leave(): void {
    this.socket.terminate();
  }
}

/** Negotiates as the official clients do. */
export async function negotiate(
  origin: string,
  hub: string,
  user?: string,
): Promise<{ connectionId: string; connectionToken: string }> {
  const response = await fetch(`${origin}/client/negotiate?hub=${hub}&negotiateVersion=1`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await clientToken(hub, user)}` },
  });
  if (!response.ok) throw new Error(`negotiate answered ${response.status}`);
  return (await response.json()) as { connectionId: string; connectionToken: string };
}
