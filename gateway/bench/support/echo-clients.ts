import { clientToken } from '../../test/support/tokens.ts';
import { serve } from './child.ts';
import { completionBytes, ids, invocation } from './echo-messages.ts';
import { maskedText, RawSocket } from './raw-socket.ts';
import { usage } from './usage.ts';

/** The load of echoes: clients that keep some invocations in flight each, and count what comes back. */

const hub = 'bench';
/** Ends each answer, and occurs nowhere else: see `completionBytes`. */
const separator = 0x1e;

/** Every invocation twice in a row, so that any run of them is one piece. */
const once = Buffer.concat(Array.from({ length: ids }, (_, id) => maskedText(invocation(id))));
const frames = Buffer.concat([once, once]);
const frameBytes = once.length / ids;

class EchoClient {
  readonly #socket: RawSocket;
  readonly ready: Promise<void>;
  #nextId = 0;
  /** Told of answers. */
  answered: (client: EchoClient, count: number) => void = () => undefined;

  constructor(port: number, path: string) {
    let ready: () => void = () => undefined;
    let failed: (error: Error) => void = () => undefined;
    this.ready = new Promise((resolve, reject) => {
      ready = resolve;
      failed = reject;
    });
    const bytes = (count: number, from: Uint8Array): void => {
      came += count;
      this.answered(this, answersIn(from, count));
    };
    const closed = (why: string): void => failed(new Error(`a client of port ${port}: ${why}`));
    this.#socket = new RawSocket({ port, path, from: '127.0.0.2', protocol: 'json' }, { ready, bytes, closed });
  }

  /** Invokes so many times, in one write. */
  invoke(times: number): void {
    this.#socket.write(frames.subarray(this.#nextId * frameBytes, (this.#nextId + times) * frameBytes));
    this.#nextId = (this.#nextId + times) % ids;
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

function answersIn(bytes: Uint8Array, length: number): number {
  let found = 0;
  for (let at = bytes.indexOf(separator); at >= 0 && at < length; at = bytes.indexOf(separator, at + 1)) found++;
  return found;
}

const clients: EchoClient[] = [];
/** Bytes that came to all of them. */
let came = 0;

async function open({ port, count }: { port: number; count: number }): Promise<void> {
  const path = `/client/?hub=${hub}&access_token=${await clientToken(hub)}`;
  for (let i = 0; i < count; i++) {
    const client = new EchoClient(port, path);
    clients.push(client);
    await client.ready;
  }
}

interface Running {
  readonly echoes: number;
  /** Invocations of one client under way. */
  readonly inFlight: number;
}

/** As many echoes as asked for, each answer followed by the next invocation. @returns milliseconds. */
function run({ echoes, inFlight }: Running): Promise<number> {
  let toSend = echoes;
  let toCome = echoes;
  const least = came + echoes * completionBytes;
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const send = (client: EchoClient, wanted: number): void => {
      const times = Math.min(wanted, toSend);
      toSend -= times;
      if (times > 0) client.invoke(times);
    };
    const answered = (client: EchoClient, count: number): void => {
      toCome -= count;
      send(client, count);
      if (toCome > 0) return;
      if (toCome === 0 && came >= least) resolve(performance.now() - started);
      else reject(new Error(`${echoes} answers were awaited: ${-toCome} too many, ${came - least} bytes more`));
    };
    for (const client of clients) {
      client.answered = answered;
      send(client, inFlight);
    }
  });
}

/** One echo after another, of one client. @returns µs of each. */
async function latencies({ echoes }: { echoes: number }): Promise<number[]> {
  const client = clients[0]!;
  const times: number[] = [];
  for (let i = 0; i < echoes; i++) {
    const started = performance.now();
    await new Promise<void>((resolve) => {
      client.answered = () => resolve();
      client.invoke(1);
    });
    times.push((performance.now() - started) * 1000);
  }
  return times;
}

serve({
  usage,
  open,
  run,
  latencies,
  leave: () => {
    for (const client of clients.splice(0)) client.destroy();
  },
});
