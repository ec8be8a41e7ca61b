import { inspect } from 'node:util';
import { Deadline } from '../deadline.ts';
import { SignalboxError } from '../errors.ts';
import type { CallOptions } from '../hub-context.ts';

/** A call of a client method, as it came. */
export interface Received {
  readonly target: string;
  readonly arguments: readonly unknown[];
}

interface Waiting {
  readonly target: string;
  readonly deadline: Deadline;
  resolve(args: readonly unknown[]): void;
  reject(error: unknown): void;
}

const nextTimeoutMs = 1000;

/** What a test client received, and what its test has not looked at yet. */
export class Inbox {
  readonly received: Received[] = [];
  #untaken: Received[] = [];
  readonly #waiting = new Set<Waiting>();

  push(message: Received): void {
    this.received.push(message);
    const waiting = [...this.#waiting].find(({ target }) => target === message.target);
    if (waiting === undefined) this.#untaken.push(message);
    else this.#end(waiting).resolve(message.arguments);
  }

  /** The arguments of the next message of this name. */
  async next(target: string, { timeoutMs = nextTimeoutMs, signal }: CallOptions = {}): Promise<readonly unknown[]> {
    const index = this.#untaken.findIndex((message) => message.target === target);
    if (index >= 0) return this.#untaken.splice(index, 1)[0]?.arguments ?? [];
    return await new Promise((resolve, reject) => {
      const waiting = { target, deadline: new Deadline(timeoutMs, signal), resolve, reject };
      this.#waiting.add(waiting);
      waiting.deadline.onEnd(() => this.#fail(waiting));
      if (waiting.deadline.reason !== undefined) this.#fail(waiting);
    });
  }

  /** Nothing comes any more. */
  close(): void {
    for (const waiting of this.#waiting) {
      const text = `the connection closed before "${waiting.target}" came; ${this.#instead()}`;
      this.#end(waiting).reject(new SignalboxError('ERR_CLIENT_GONE', text));
    }
  }

  #fail(waiting: Waiting): void {
    const error = waiting.deadline.error(`"${waiting.target}"; ${this.#instead()}`, 'unknown');
    this.#end(waiting).reject(error);
  }

  #end(waiting: Waiting): Waiting {
    this.#waiting.delete(waiting);
    waiting.deadline.clear();
    return waiting;
  }

  #instead(): string {
    if (this.#untaken.length === 0) return 'nothing came instead';
    const calls = this.#untaken.map(
      (message) => `${message.target}(${message.arguments.map((arg) => inspect(arg)).join(', ')})`,
    );
    return `instead came ${calls.join(', ').slice(0, 1000)}`;
  }
}
