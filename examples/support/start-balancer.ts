import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { pipeline } from 'node:stream';

/** A balancer that knows nothing of HTTP and remembers nobody. */
export interface Balancer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Which of so many backends the next TCP connection tries first, from 0. */
export type Pick = (backends: number) => number;

const atRandom: Pick = (backends) => Math.floor(Math.random() * backends);

/**
 * Passes each TCP connection to one of these ports of this machine, by default drawn at random; where nobody listens, to
 * the next. Rejects when its own port is taken; 0 is a free one.
 */
export async function startBalancer(
  port: number,
  backends: readonly number[],
  pick: Pick = atRandom,
): Promise<Balancer> {
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    clients.add(client.once('close', () => clients.delete(client)));
    client.on('error', () => client.destroy());
    const first = pick(backends.length);
    pass(client, [...backends.slice(first), ...backends.slice(0, first)]);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const client of clients) client.destroy();
      await closed;
    },
  };
}

function pass(client: Socket, [port, ...others]: readonly number[]): void {
  if (port === undefined) return void client.destroy();
  const backend = connect(port, '127.0.0.1');
  const next = (): void => pass(client, others);
  backend.once('error', next);
  backend.once('connect', () => {
    backend.off('error', next);
    pipeline(client, backend, client, () => void [client.destroy(), backend.destroy()]);
  });
}
