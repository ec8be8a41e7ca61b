import { handshakeResponse, hubProtocol } from '@signalbox/app-sdk/protocol';
import type { Happening, HappeningFact } from '../protocol/happening.ts';
import type { Follow, Followed, Quarry } from '../protocol/operator.ts';
import type { Connection } from './connection.ts';
import { isInSight } from './sights.ts';

export interface FollowOptions {
  readonly node: string;
  /** Happenings that wait until they leave; more are counted and left out. */
  readonly queue: number;
  /** Bytes of one payload that this node shows to who asks for them; 0: none. */
  readonly payloadBytes: number;
  readonly now: () => number;
  /** Takes what happened; resolves when there is room for more. Rejects when it did not leave. */
  readonly tell: (follow: Follow, followed: Followed) => Promise<unknown>;
}

/** The answer to a handshake that was accepted, the same for every hub protocol. */
const accepted = Buffer.from(handshakeResponse());

/** How long happenings are gathered, in ms: a busy client costs ten messages a second between nodes, not thousands. */
const gatherMs = 100;
/** Bytes of JSON that leave at once. */
const batchBytes = 128 * 1024;
/** Larger units are not taken apart to see which hub messages they hold. */
const parsedBytes = 16 * 1024;

/** What one follower wants of this node, and what waits to be told. */
export class OneFollow implements Quarry {
  command: Follow;
  /** When it ends unless it is renewed, on the clock of {@link FollowOptions.now}. */
  until: number;
  readonly #options: FollowOptions;
  #waiting: string[] = [];
  #lost = 0;
  #timer: NodeJS.Timeout | undefined;
  #telling = false;

  constructor(command: Follow, options: FollowOptions) {
    this.command = command;
    this.until = options.now() + command.leaseMs;
    this.#options = options;
  }

  get hub(): string {
    return this.command.hub;
  }

  get of(): Quarry['of'] {
    return this.command.of;
  }

  /** Does it ask for each frame of single clients? Of a hub or a group it sees the sends, not each copy of them. */
  get closeUp(): boolean {
    return this.of.kind === 'user' || this.of.kind === 'connection';
  }

  renew(command: Follow): void {
    this.command = command;
    this.until = this.#options.now() + command.leaseMs;
  }

  sees(connection: Connection): boolean {
    return isInSight(this, connection);
  }

  /** What it may see of these bytes. */
  payload(bytes: Uint8Array, base64: boolean): { payload?: { text: string; base64: boolean; cut: boolean } } {
    const most = this.#options.payloadBytes;
    if (!this.command.payloads || most === 0) return {};
    const shown = Buffer.from(bytes.subarray(0, most));
    return { payload: { text: shown.toString(base64 ? 'base64' : 'utf8'), base64, cut: bytes.length > most } };
  }

  add(fact: HappeningFact): void {
    if (this.#waiting.length >= this.#options.queue) {
      this.#lost++;
      return;
    }
    const happening: Happening = { at: Date.now(), node: this.#options.node, ...fact };
    this.#waiting.push(JSON.stringify(happening));
    this.#timer ??= setTimeout(() => void this.#tell(), gatherMs);
  }

  async #tell(): Promise<void> {
    this.#timer = undefined;
    if (this.#telling) return;
    this.#telling = true;
    while (this.#waiting.length > 0 && (await this.#tellSome()));
    this.#telling = false;
  }

  /** @returns false when it did not leave: it is counted, and told with what happens next. */
  async #tellSome(): Promise<boolean> {
    const lost = this.#lost;
    this.#lost = 0;
    const happenings = this.#take();
    try {
      await this.#options.tell(this.command, { kind: 'followed', id: this.command.ask.id, lost, happenings });
      return true;
    } catch {
      this.#lost += lost + happenings.length;
      return false;
    }
  }

  #take(): string[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#waiting.length && (count === 0 || bytes < batchBytes)) {
      bytes += this.#waiting[count++]?.length ?? 0;
    }
    return this.#waiting.splice(0, count);
  }

  /** Nobody wants to know any more. */
  end(): void {
    clearTimeout(this.#timer);
    this.#waiting = [];
  }
}

/** The kinds of the hub messages in a unit of a transport; `part` where they are not whole, `large` above 16 KiB. */
export function messageKinds(protocol: string, bytes: Uint8Array): string[] {
  if (bytes.length === accepted.length && accepted.equals(bytes)) return ['handshake'];
  const codec = hubProtocol(protocol);
  if (codec === undefined) return ['unknown'];
  if (bytes.length > parsedBytes) return ['large'];
  try {
    const splitter = codec.split({ limit: parsedBytes });
    const kinds = [...splitter.push(bytes)].map((record) => codec.parse(record)?.kind ?? 'unknown');
    return splitter.pending > 0 ? [...kinds, 'part'] : kinds;
  } catch {
    return ['part'];
  }
}
