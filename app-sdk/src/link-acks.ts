import { Deadline } from './deadline.ts';
import { SignalboxError } from './errors.ts';
import type { ServiceMessageOf } from './protocol/service.ts';
import { ackStatuses } from './protocol/service-messages.ts';

/** What the service says to a command: done or yes; no, or no such thing; and a payload where one was asked for. */
export interface Acknowledged {
  readonly ok: boolean;
  readonly payload: Uint8Array | undefined;
}

/** A command that waits for its ack. */
export interface Ack {
  readonly id: number;
  /** Rejects ERR_TIMEOUT, ERR_UNAVAILABLE, ERR_LINK_LOST or ERR_STOPPED. */
  readonly done: Promise<Acknowledged>;
  /** The link that took the command. */
  carrier: object | undefined;
  /** The command was not taken: nobody waits. */
  drop(): void;
}

interface Pending {
  readonly ack: Ack;
  readonly deadline: Deadline;
  resolve(acknowledged: Acknowledged): void;
  reject(error: SignalboxError): void;
}

/** Commands of one hub that wait; one more is refused. */
const mostPending = 65_536;
const maxId = 2 ** 31 - 1;

/** Commands of one hub that wait for their acks, whatever link took them. Ids are unique in the hub. */
export class LinkAcks {
  readonly #timeoutMs: number;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;

  /** `timeoutMs`: for each ack. */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Opens a place for an ack; `what` ends "waited … ms for". Throws ERR_QUEUE_FULL. */
  open(what: string): Ack {
    if (this.#pending.size >= mostPending) {
      throw new SignalboxError('ERR_QUEUE_FULL', `commands that wait for an ack must be at most ${mostPending}`);
    }
    const id = this.#nextId();
    const deadline = new Deadline(this.#timeoutMs, undefined);
    let settle: Pick<Pending, 'resolve' | 'reject'> | undefined;
    const done = new Promise<Acknowledged>((resolve, reject) => {
      settle = { resolve, reject };
    });
    done.catch(quietly);
    const ack: Ack = { id, done, carrier: undefined, drop: () => void this.#take(id) };
    if (settle !== undefined) this.#pending.set(id, { ack, deadline, ...settle });
    deadline.onEnd(() => this.#take(id)?.reject(deadline.error(`the ack to ${what}`, 'unknown')));
    return ack;
  }

  /** An ack came. One that nobody waits for is late. */
  received({ ackId, status, message, payload }: ServiceMessageOf<'Ack'>): void {
    const pending = this.#take(ackId);
    if (pending === undefined) return;
    if (status === ackStatuses.ok || status === ackStatuses.notFound) {
      pending.resolve({ ok: status === ackStatuses.ok, payload });
    } else {
      pending.reject(refusal(status, message));
    }
  }

  /** A link is gone: its acks will not come. */
  lost(carrier: object, text: string): void {
    for (const [id, { ack }] of this.#pending) {
      if (ack.carrier !== carrier) continue;
      this.#take(id)?.reject(new SignalboxError('ERR_LINK_LOST', text, { outcome: 'unknown' }));
    }
  }

  /** Ends all waiting. */
  close(): void {
    for (const id of [...this.#pending.keys()]) {
      this.#take(id)?.reject(new SignalboxError('ERR_STOPPED', 'the app server was stopped', { outcome: 'unknown' }));
    }
  }

  #nextId(): number {
    this.#lastId = this.#lastId === maxId ? 1 : this.#lastId + 1;
    return this.#pending.has(this.#lastId) ? this.#nextId() : this.#lastId;
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.deadline.clear();
    return pending;
  }
}

function refusal(status: number, message: string): SignalboxError {
  const said = message === '' ? '' : `: ${message}`;
  if (status === ackStatuses.timeout) {
    return new SignalboxError('ERR_TIMEOUT', `the service ran out of time${said}`, { outcome: 'unknown' });
  }
  const text = `the service answered with ack status ${status}${said}`;
  return new SignalboxError('ERR_UNAVAILABLE', text, { outcome: 'unknown' });
}

function quietly(): void {
  // Whoever sent the command awaits the ack, or has its own error already.
}
