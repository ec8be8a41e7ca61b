import type { ServerResponse } from 'node:http';
import type { Followers } from '../core/followers.ts';
import type { Quarry } from '../protocol/operator.ts';
import { guardHeaders } from './exchange.ts';

export interface FollowStreamOptions {
  readonly followers: Pick<Followers, 'open'>;
  readonly quarry: Quarry;
  readonly payloads: boolean;
  /** Happenings that wait for a reader that does not keep up; more are left out and counted. */
  readonly queue: number;
}

/** How often a line says that nothing happened, in ms: for the reader, and for proxies that cut what is silent. */
const aliveMs = 10_000;

/**
 * Writes what happens as it happens, one JSON line each, until the reader leaves. Lines of our own: `following` first,
 * `lost` with the number of happenings left out, `alive` when nothing else was said.
 */
export function followStream(response: ServerResponse, options: FollowStreamOptions): void {
  const { followers, quarry, payloads, queue } = options;
  const waiting: string[] = [];
  let lost = 0;
  const say = (line: string): boolean => response.write(`${line}\n`);
  const flush = (): void => {
    if (response.writableNeedDrain) return;
    if (lost > 0) waiting.unshift(JSON.stringify({ event: 'lost', at: Date.now(), count: lost }));
    lost = 0;
    while (waiting.length > 0 && say(waiting.shift() ?? ''));
  };
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'x-accel-buffering': 'no', ...guardHeaders });
  say(JSON.stringify({ event: 'following', at: Date.now(), ...quarry, payloads }));
  const close = followers.open(quarry, payloads, (happenings, missing) => {
    const room = Math.max(0, queue - waiting.length);
    waiting.push(...happenings.slice(0, room));
    lost += missing + Math.max(0, happenings.length - room);
    flush();
  });
  const alive = setInterval(() => {
    if (!response.writableNeedDrain) say(JSON.stringify({ event: 'alive', at: Date.now() }));
  }, aliveMs);
  response.on('drain', flush);
  response.on('close', () => {
    clearInterval(alive);
    close();
  });
}
