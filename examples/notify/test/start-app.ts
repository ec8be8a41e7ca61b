import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createNotifyApp } from '../src/app.ts';

/** The app on a free port. */
export interface RunningApp {
  readonly url: string;
  close(): Promise<void>;
}

export async function startApp(connectionString: string): Promise<RunningApp> {
  const server = createNotifyApp(connectionString).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
