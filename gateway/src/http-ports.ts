import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { ConfigError } from './config.ts';

/**
 * A port for workers to share. Sharing takes whoever listens there already for one of them, in silence; so the port is
 * taken alone first, for a moment.
 * @param port 0: any free one
 * @throws {ConfigError} when somebody listens there, or the address is not this machine's.
 */
export async function portToShare(host: string, port: number): Promise<number> {
  const server = createServer();
  try {
    await once(server.listen({ host, port }), 'listening');
  } catch {
    throw new ConfigError(`cannot listen on ${host}, port ${port}: taken, or no address here`);
  }
  const { port: found } = server.address() as AddressInfo;
  const closed = once(server, 'close');
  server.close();
  await closed;
  return found;
}
