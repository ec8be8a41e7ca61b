import type { Events } from '../../src/observe/events.ts';
import { ServerlessApp } from '../../src/upstream/serverless-app.ts';
import { parseUpstream } from '../../src/upstream/settings.ts';
import { Upstream, type UpstreamOptions } from '../../src/upstream/upstream.ts';
import { startAlone, type TestCore } from '../support/cores.ts';
import { EventLog } from '../support/event-log.ts';

/** A core whose hubs are serverless and post upstream. */
export interface Upstreamed extends TestCore, AsyncDisposable {
  readonly upstream: Upstream;
  /** What the upstream reported. */
  readonly told: EventLog;
  readonly warnings: string[];
  readonly logged: object[];
}

/** Starts one. `setting` is what stands in SIGNALBOX_UPSTREAM. */
export async function startUpstream(setting: string, options: Partial<UpstreamOptions> = {}): Promise<Upstreamed> {
  const told = new EventLog();
  const logged: object[] = [];
  const upstream = new Upstream({
    templates: parseUpstream('SIGNALBOX_UPSTREAM', setting),
    accessKeys: ['ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH'],
    deadlineMs: 10_000,
    bodyBytes: 16 * 1024 * 1024,
    requests: 16,
    queueBytes: 1024 * 1024,
    clientQueueBytes: 64 * 1024,
    events: told.events as Pick<Events, 'webhook' | 'limitReached' | 'delivered'>,
    log: { warn: (text, facts) => void logged.push({ text, ...facts }) },
    ...options,
  });
  const app = new ServerlessApp({
    events: told.events,
    messageBytes: 1024 * 1024,
    completed: () => undefined,
    upstream,
  });
  const alone = await startAlone({ app, config: { clientQueueBytes: 64 * 1024 * 1024 } });
  return Object.assign(alone, {
    upstream,
    told,
    logged,
    [Symbol.asyncDispose]: async () => {
      await alone.core.closeClients();
      await upstream.close();
      await alone.core.stop();
    },
  });
}
