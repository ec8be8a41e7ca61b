import { AppServer, defineHub, type HubContract } from '@signalbox/app-sdk';
import { accessKey } from '../../test/support/tokens.ts';
import { serve } from './child.ts';
import { usage } from './usage.ts';

/** An app server as users write it: the SDK, and a hub with one method. */

interface Echo extends HubContract {
  server: { sayBack(value: string): string };
  client: Record<never, never>;
}

/** No pings: the load takes whatever comes for an answer. */
const keepAliveMs = 3_600_000;

const hub = defineHub<Echo>({ name: 'bench', methods: { sayBack: (_, value) => value }, keepAliveMs });

async function connect({ port, links }: { port: number; links: number }): Promise<void> {
  const server = new AppServer(`Endpoint=http://127.0.0.1:${port};AccessKey=${accessKey};Version=1.0;`, {
    hubs: [hub],
    links,
  });
  await server.start();
  while (server.health().hubs[hub.name]?.links !== links) await new Promise((soon) => setTimeout(soon, 10));
}

serve({ connect, usage });
