import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A wire to a port of this machine that a test can cut, or make long. */
export class TcpProxy {
  readonly #server: Server;
  readonly #to: number;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #silent = false;
  #delayMs = 0;

  private constructor(to: number) {
    this.#to = to;
    this.#server = createServer((near) => this.#join(near));
  }

  /** Starts one in front of a port. */
  static async start(to: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(to);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  #join(near: Socket): void {
    const far = connect(this.#to, '127.0.0.1').setNoDelay();
    near.setNoDelay();
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    for (const [from, to] of [pair, [far, near] as const]) {
      from.on('data', (bytes) => this.#late(() => to.write(bytes)));
      from.on('error', () => from.destroy());
      from.on('close', () => {
        this.#late(() => to.destroySoon()); // behind what it is owed
        if (to.destroyed) this.#pairs.delete(pair);
      });
      if (this.#silent) from.pause();
    }
  }

  /** Timers of one length fire in their order, so bytes keep theirs. */
  #late(pass: () => void): void {
    if (this.#delayMs === 0) pass();
    else setTimeout(pass, this.#delayMs);
  }

  /** From now on, and for good, what comes from either end passes so many milliseconds later. */
  slow(ms: number): void {
    this.#delayMs = ms;
  }

  /** Ends every connection; new ones are taken. */
  cut(): void {
    for (const [near, far] of this.#pairs) {
      near.destroy();
      far.destroy();
    }
  }

  /** As a network that loses everything: connections stay, and nothing passes until {@link mend}. */
  silence(): void {
    this.#silent = true;
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  /** What was silenced passes, late. */
  mend(): void {
    this.#silent = false;
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
