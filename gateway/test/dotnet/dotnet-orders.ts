import { createInterface } from 'node:readline';
import { within } from '../support/until.ts';
import type { DotnetProgram } from './dotnet-program.ts';

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** A line that a program wrote: the answer to an order by its id, or something that it tells unasked. */
export interface Line {
  readonly id?: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** Asks a .NET program over its standard input and output, one line of JSON each way. */
export class DotnetOrders {
  readonly #program: DotnetProgram;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  /** `told` gets every line that is no answer. */
  constructor(program: DotnetProgram, told: (line: Line) => void = () => undefined) {
    this.#program = program;
    createInterface({ input: program.stdout }).on('line', (line) => this.#heard(JSON.parse(line) as Line, told));
    void program.ended().then(() => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the program ended: ${program.output}`));
    });
  }

  /** Rejects with the message of what the program threw. */
  ask(ask: string, more: object = {}): Promise<unknown> {
    const id = ++this.#last;
    const answer = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#program.say(JSON.stringify({ id, ask, ...more }));
    return within(`${ask} of a .NET program`, answer);
  }

  #heard(line: Line, told: (line: Line) => void): void {
    if (line.id === undefined) {
      told(line);
      return;
    }
    const waiting = this.#waiting.get(line.id);
    this.#waiting.delete(line.id);
    if (line.error === undefined) waiting?.resolve(line.value);
    else waiting?.reject(new Error(line.error));
  }
}
