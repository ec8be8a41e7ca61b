import { AppServer, type NegotiateOptions, type StopOptions } from '@signalbox/app-sdk';
import type { AppQuestion, AppSettings } from './app-process.ts';
import { type StageEvents, stageHub } from './stage-hub.ts';

/*
 * An app server as it is run: a process of its own, told what to do by the test that started it. Everything it tells goes
 * back over the same channel; it ends with the test.
 */

const { connectionString, hub: name, app, links, keepAliveMs } = JSON.parse(process.argv[2] ?? '{}') as AppSettings;
const notice = (kind: string, facts: object): void => void process.send?.({ kind, ...facts });

const events: StageEvents = {
  connected: (facts) => notice('connected', facts),
  disconnected: (facts) => notice('disconnected', facts),
  cancelled: (facts) => notice('cancelled', facts),
};
const hub = stageHub(name, app, events, keepAliveMs);
const log = (level: string) => (facts: object, text: string) => notice('log', { level, text, ...facts });
const server = new AppServer(connectionString, {
  hubs: [hub],
  links,
  logger: { debug: () => undefined, info: () => undefined, warn: log('warn'), error: log('error') },
  observe: {
    linkUp: (facts) => notice('linkUp', facts),
    linkDown: (facts) => notice('linkDown', facts),
  },
});

let broadcasting: NodeJS.Timeout | undefined;
let broadcasts = 0;

const answers = {
  start: () => server.start(),
  links: () => server.health().hubs[hub.name]?.links ?? 0,
  negotiate: (options: NegotiateOptions) => server.hub(hub).negotiate(options),
  tellAll: (value: unknown) => server.hub(hub).clients.all.news(value),
  join: (connection: string, group: string) => server.hub(hub).groups.addToGroup(connection, group),
  ask: (connection: string) => server.hub(hub).clients.client(connection).invoke('askName'),
  broadcast(everyMs: number) {
    broadcasting = setInterval(() => void server.hub(hub).clients.all.news(broadcasts++), everyMs);
  },
  quiet() {
    clearInterval(broadcasting);
    return broadcasts;
  },
  stop: (options: StopOptions) => server.stop(options),
};

/** What a test can ask of an app server. */
export type AppAnswers = typeof answers;

process.on('message', ({ id, ask, args }: AppQuestion) => {
  const work = answers[ask] as (...args: unknown[]) => unknown;
  Promise.resolve()
    .then(() => work(...args))
    .then(
      (value) => notice('answer', { id, value }),
      (error: unknown) => notice('answer', { id, error: String(error) }),
    );
});
process.once('disconnect', () => process.exit());
