import type { Connection } from './connection.ts';
import type { Frames } from './frames.ts';
import type { Frame } from './transport.ts';

/** How many members are served between two looks at the clock. */
const stride = 256;

/** Who is left out: by connection and by user. */
export interface Except {
  readonly connections: ReadonlySet<string>;
  readonly users: ReadonlySet<string>;
}

/** What one fan-out did. */
export interface FanoutCounts {
  delivered: number;
  bytes: number;
  noProtocol: number;
}

/** The hot loop: one message to many members, resumable so that a long one can run in slices. */
export class Fanout {
  /** Told how many it reached when it is over; of those that are followed. */
  done: ((reached: number) => void) | undefined;
  readonly counts: FanoutCounts = { delivered: 0, bytes: 0, noProtocol: 0 };
  readonly #members: readonly Connection[];
  readonly #frames: Frames;
  readonly #except: Except | undefined;
  #next = 0;
  #protocol: string | undefined;
  #frame: Frame | undefined;

  constructor(members: readonly Connection[], frames: Frames, except: Except | undefined) {
    this.#members = members;
    this.#frames = frames;
    this.#except = except;
  }

  /** Serves members until all are served or the clock passes `until`. @returns true when all are served. */
  advance(until: number): boolean {
    while (this.#next < this.#members.length) {
      this.#serve(Math.min(this.#next + stride, this.#members.length));
      if (performance.now() >= until) break;
    }
    return this.#next >= this.#members.length;
  }

  #serve(end: number): void {
    for (let i = this.#next; i < end; i++) {
      const member = this.#members[i]!;
      if (member.state !== 'open' || (this.#except !== undefined && isLeftOut(member, this.#except))) continue;
      if (member.protocol !== this.#protocol) {
        this.#protocol = member.protocol;
        this.#frame = this.#frames.of(member.protocol);
      }
      this.#count(this.#frame);
      if (this.#frame !== undefined) member.send(this.#frame);
    }
    this.#next = end;
  }

  #count(frame: Frame | undefined): void {
    if (frame === undefined) this.counts.noProtocol++;
    else {
      this.counts.delivered++;
      this.counts.bytes += frame.bytes.length;
    }
  }
}

/** Is this member among those left out? */
export function isLeftOut(member: Connection, except: Except): boolean {
  if (except.connections.has(member.id)) return true;
  return member.userId !== undefined && except.users.has(member.userId);
}

/** The set form of what a command leaves out; undefined when that is nobody. */
export function exceptOf(connections: readonly string[], users: readonly string[]): Except | undefined {
  if (connections.length === 0 && users.length === 0) return undefined;
  return { connections: new Set(connections), users: new Set(users) };
}
