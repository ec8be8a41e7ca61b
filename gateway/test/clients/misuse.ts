import { once } from 'node:events';
import { request } from 'undici';
import { WebSocket } from 'ws';
import { clientClaims, sign } from '../auth/sign.ts';
import type { Door } from './start-door.ts';
import { bearer, bodyOf, negotiated, statusOf, upgraded } from './wires.ts';

/** How a client comes to the base path. */
export type Way = 'poll' | 'stream' | 'WebSocket' | 'POST' | 'DELETE';

/** What one shows. */
export interface Shown {
  readonly id?: string;
  /** In place of a good token; undefined: none. */
  readonly token?: string | undefined;
  readonly hub?: string;
  readonly body?: string;
  /** Lines of the head besides. */
  readonly headers?: Readonly<Record<string, string>>;
}

const methods = { poll: 'GET', stream: 'GET', POST: 'POST', DELETE: 'DELETE' } as const;
const events = { accept: 'text/event-stream' };

/** Status, and text where there is one. */
function told(status: number, text: string): string {
  return `${status} ${text}`.trim();
}

function headersOf(shown: Shown): Record<string, string> {
  const token = 'token' in shown ? shown.token : sign(clientClaims(shown.hub ?? 'chat'));
  return { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...shown.headers };
}

function queryOf({ hub = 'chat', id }: Shown): string {
  return `?hub=${hub}${id === undefined ? '' : `&id=${id}`}`;
}

/** Comes to the door in this way, and tells what it was answered: status and text. */
export async function come(door: Door, way: Way, shown: Shown = {}): Promise<string> {
  const headers = headersOf(shown);
  if (way === 'WebSocket') {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const answer = await upgraded(door, queryOf(shown), ...lines);
    return told(statusOf(answer), bodyOf(answer));
  }
  const { statusCode, body } = await request(`${door.url}/client/${queryOf(shown)}`, {
    method: methods[way],
    headers: { ...headers, ...(way === 'stream' && events) },
    ...(way === 'POST' && { body: shown.body ?? 'x' }),
  });
  return told(statusCode, await body.text());
}

/** Asks for an id, and tells what it was answered. @param query what stands behind the path */
export async function negotiate(
  door: Door,
  query: string,
  method: 'POST' | 'GET' | 'PUT' | 'DELETE',
  token?: string,
): Promise<string> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const { statusCode, body } = await request(`${door.url}/client/negotiate${query}`, { method, headers });
  return told(statusCode, await body.text());
}

/** An id that nobody has come with yet. */
export async function unused(door: Door, claims: object = {}): Promise<string> {
  return (await negotiated(door, claims)).connectionToken;
}

/** The id of a client that polls: its first poll is answered. */
export async function polling(door: Door): Promise<string> {
  const id = await unused(door);
  const first = await come(door, 'poll', { id });
  if (first !== '200') throw new Error(`the first poll was answered with ${first}`);
  return id;
}

/** The id of a client that has ended its polls. */
export async function ended(door: Door): Promise<string> {
  const id = await polling(door);
  await come(door, 'DELETE', { id });
  return id;
}

/** The id of a client whose event stream is open until the signal comes. */
export async function streaming(door: Door, signal: AbortSignal): Promise<string> {
  const id = await unused(door);
  const headers = { ...bearer(), ...events };
  const { statusCode, body } = await request(`${door.url}/client/?hub=chat&id=${id}`, { headers, signal });
  body.on('error', () => undefined); // the signal came
  if (statusCode !== 200) throw new Error(`the stream was answered with ${statusCode}`);
  return id;
}

/** The id of a client whose WebSocket is open until the signal comes. */
export async function connected(door: Door, signal: AbortSignal): Promise<string> {
  const id = await unused(door);
  const socket = new WebSocket(`ws://127.0.0.1:${door.port}/client/?hub=chat&id=${id}`, { headers: bearer() });
  await once(socket, 'open');
  signal.addEventListener('abort', () => socket.terminate());
  return id;
}
