import {
  type AnyContract,
  type HubContract,
  type Logger,
  SignalboxClient,
  type SignalboxClientOptions,
} from '@signalbox/app-sdk';
import { afterEach, beforeEach, vi } from 'vitest';
import { RestServer } from './rest-server.ts';

/** What a test of the REST door stands on: a server, made anew for each test, and clients that are closed after it. */
export interface RestSetup {
  server: RestServer;
  readonly logger: { [K in keyof Logger]: ReturnType<typeof vi.fn<Logger[K]>> };
  client<C extends HubContract = AnyContract>(
    options?: Partial<SignalboxClientOptions>,
    connectionString?: string,
  ): SignalboxClient<C>;
}

/** Registers the hooks of a file. Pauses between attempts last no time, for the jitter is 0. */
export function restSetup(): RestSetup {
  const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
  let made: AsyncDisposable[] = [];
  const setup: RestSetup = {
    server: new RestServer(),
    logger,
    client<C extends HubContract>(options: Partial<SignalboxClientOptions> = {}, text?: string) {
      const connectionString = text ?? setup.server.connectionString();
      const hub = new SignalboxClient<C>(connectionString, { hub: 'Chat', logger, ...options });
      made.push(hub);
      return hub;
    },
  };
  beforeEach(async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    for (const log of Object.values(logger)) log.mockReset();
    setup.server = await new RestServer().start();
    made = [];
  });
  afterEach(async () => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    await setup.server.stop();
    await Promise.all(made.map((hub) => hub[Symbol.asyncDispose]()));
  });
  return setup;
}
