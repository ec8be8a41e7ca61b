import type { Service } from '../support/service.ts';

const names = ['WebSockets', 'ServerSentEvents', 'LongPolling'];

/** Transports of the clients of a hub, over all nodes. */
export async function transportsOf({ nodes }: Service, hub: string): Promise<readonly string[]> {
  const held = async (transport: string): Promise<boolean> => {
    const counts = nodes.map((node) => node.metric('signalbox_connections', { hub, transport }));
    return (await Promise.all(counts)).some((count) => count > 0);
  };
  const there = await Promise.all(names.map(held));
  return names.filter((_, at) => there[at]);
}

/** What a proxy refuses, and what an official client then ends up with. */
export const fallbacks = [
  ['nothing', [], 'WebSockets'],
  ['upgrades', ['upgrades'], 'ServerSentEvents'],
  ['upgrades and event streams', ['upgrades', 'events'], 'LongPolling'],
] as const;
