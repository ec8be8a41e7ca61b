import { AppServer, type HubDefinition } from '@signalbox/app-sdk';
import { everyNodeServes } from '../../support/served.ts';
import { connectionString, startService } from '../../support/service.ts';
import { buildProject, DotnetProgram } from '../dotnet-program.ts';
import { scriptedHubs } from './scripted-hub.ts';

/** Where a client goes: a URL to negotiate with, and a token where one is wanted. */
export interface Entrance {
  readonly url: string;
  readonly token?: string;
}

/** A server that runs the hubs of the transcripts. */
export interface Place {
  readonly name: string;
  entrance(hub: string, user: string): Promise<Entrance>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** ASP.NET Core, with nothing between it and its clients. */
export async function openStock(): Promise<Place> {
  const assembly = await buildProject({ folder: 'gateway/test/dotnet/stock-hub', name: 'StockHub' });
  const program = await DotnetProgram.start(assembly, { ready: /Now listening on: (\S+)\s/ });
  const [, origin] = program.said;
  return {
    name: 'the stock hub',
    entrance: async (hub, user) => ({ url: `${origin}/${hub}?user=${user}` }),
    async [Symbol.asyncDispose]() {
      await program.stop();
    },
  };
}

/** The app SDK, behind two gateway nodes with a Redis. */
export async function openOurs(): Promise<Place> {
  const service = await startService({ env: { SIGNALBOX_MODES: '*=default' } });
  const app = new AppServer(connectionString(service.balancer.origin), {
    hubs: scriptedHubs,
    links: 1, // what goes over one link keeps its order; between two there is none
    logger: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  await app.start();
  const byName = (name: string): HubDefinition => scriptedHubs.find((hub) => hub.name === name) as HubDefinition;
  const entrance = async (hub: string, user: string): Promise<Entrance> => {
    const { url, accessToken } = await app.hub(byName(hub)).negotiate({ userId: user });
    return { url, token: accessToken };
  };
  for (const hub of scriptedHubs) {
    await everyNodeServes(service.nodes, () => app.hub(hub).negotiate({ userId: 'probe' }));
  }
  return {
    name: 'the app SDK behind a gateway',
    entrance,
    async [Symbol.asyncDispose]() {
      await app.stop({ graceMs: 0, clients: 'drop' });
      await service[Symbol.asyncDispose]();
    },
  };
}
