import { GatewayError } from '../errors.ts';
import { awakeNow } from '../observe/awake.ts';
import type { RedisClient } from './redis-connections.ts';

/** A command as Redis takes it. */
export type RedisCommand = readonly [name: string, ...args: (string | number | Buffer)[]];

/** Bounds of what Redis has not answered yet. */
export interface PublisherLimits {
  readonly queueBytes: number;
  readonly queueMs: number;
}

interface Job {
  readonly command: RedisCommand;
  /** Topic or key that decides the slot. */
  readonly key: string;
  readonly bytes: number;
  readonly since: number;
  resolve(reply: unknown): void;
  reject(error: Error): void;
}

/** What Redis takes besides the payload of a command, roughly: so that empty commands count as well. */
const overheadBytes = 128;

/**
 * Sends commands over one connection, those of one turn in one pipeline, in order; none is ever sent twice. What is not
 * answered is bounded in bytes and age. Lives as long as its connection.
 */
export class RedisPublisher {
  readonly #client: RedisClient;
  readonly #limits: PublisherLimits;
  readonly #waiting = new Set<Job>();
  #turn: Job[] = [];
  #bytes = 0;
  #closed: GatewayError | undefined;

  constructor(client: RedisClient, limits: PublisherLimits) {
    this.#client = client;
    this.#limits = limits;
  }

  /** Bytes sent that Redis has not answered. */
  get outstandingBytes(): number {
    return this.#bytes;
  }

  /** Resolves with the reply. Rejects with `backplane_full` before sending, with `backplane_down` when no reply comes. */
  run(key: string, command: RedisCommand, payloadBytes: number): Promise<unknown> {
    const bytes = payloadBytes + overheadBytes;
    const refusal = this.#closed ?? this.#full(bytes);
    if (refusal !== undefined) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      const job: Job = { command, key, bytes, since: awakeNow(), resolve, reject };
      this.#bytes += bytes;
      this.#waiting.add(job);
      this.#turn.push(job);
      if (this.#turn.length === 1) queueMicrotask(this.#flush);
    });
  }

  /** Rejects what was not answered, and all that comes. */
  close(error: GatewayError): void {
    this.#closed = error;
    for (const job of this.#waiting) job.reject(error);
    this.#waiting.clear();
    this.#turn = [];
  }

  #full(bytes: number): GatewayError | undefined {
    const { queueBytes, queueMs } = this.#limits;
    const [oldest] = this.#waiting;
    if (oldest === undefined) return undefined;
    const age = awakeNow() - oldest.since;
    if (age > queueMs) return full(`answered nothing for ${Math.round(age)} ms, more than ${queueMs}`);
    if (this.#bytes + bytes > queueBytes) return full(`owes answers to ${this.#bytes} bytes, limit ${queueBytes}`);
    return undefined;
  }

  readonly #flush = (): void => {
    const turn = this.#turn;
    this.#turn = [];
    for (const jobs of this.#client.isCluster ? bySlot(turn) : [turn]) void this.#send(jobs);
  };

  async #send(jobs: Job[]): Promise<void> {
    if (jobs.length === 0) return;
    const pipeline = this.#client.pipeline();
    for (const { command } of jobs) pipeline.call(...command);
    try {
      const replies = (await pipeline.exec()) ?? [];
      for (const [i, job] of jobs.entries()) this.#settle(job, replies[i]);
    } catch (error) {
      for (const job of jobs) this.#settle(job, [error as Error, undefined]);
    }
  }

  #settle(job: Job, [error, reply]: [Error | null, unknown] = [new Error('no reply'), undefined]): void {
    if (!this.#waiting.delete(job)) return;
    this.#bytes -= job.bytes;
    if (error === null) job.resolve(reply);
    else job.reject(new GatewayError('backplane_down', `Redis did not take ${job.command[0]}: ${error.message}`));
  }
}

/** On a cluster a pipeline goes to one slot; order is kept within it. */
function bySlot(jobs: Job[]): Iterable<Job[]> {
  const slots = new Map<string, Job[]>();
  for (const job of jobs) {
    const tag = hashTag(job.key);
    const slot = slots.get(tag);
    if (slot === undefined) slots.set(tag, [job]);
    else slot.push(job);
  }
  return slots.values();
}

/** What decides the slot of a topic or key on a cluster: what stands between the first braces. */
export function hashTag(key: string): string {
  return /\{([^}]+)\}/.exec(key)?.[1] ?? key;
}

function full(what: string): GatewayError {
  return new GatewayError('backplane_full', `Redis ${what}; the message was not sent`);
}
