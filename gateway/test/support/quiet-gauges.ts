import type { Gauges } from '../../src/observe/gauges.ts';
import { Health } from '../../src/observe/health.ts';

/** What a node tells that holds nobody, but for what the test says. */
export function quietGauges(told: Partial<Gauges> = {}): Gauges {
  return {
    connections: () => [],
    backlog: () => ({ bytes: 0, slowClients: 0 }),
    outboxClients: () => 0,
    fanoutWaiting: () => 0,
    watchedTopics: () => 0,
    outstandingBytes: () => 0,
    knownNodes: () => 1,
    health: new Health(),
    limits: {},
    ...told,
  };
}
