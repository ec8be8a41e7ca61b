import { type ConnectionString, parseConnectionString, SignalboxClient } from '@signalbox/app-sdk';
import { Misuse, type Surroundings } from './command.ts';

const variable = 'SIGNALBOX_CONNECTION_STRING';

/** The connection string of the environment. A word of the command line would stand in the list of processes. @throws {Misuse} */
export function connectionStringOf({ env }: Pick<Surroundings, 'env'>): { text: string; parts: ConnectionString } {
  const text = env[variable];
  if (text === undefined || text === '') throw new Misuse(`${variable} must be set in the environment`);
  try {
    return { text, parts: parseConnectionString(text) };
  } catch (error) {
    throw new Misuse(`${variable}: ${error instanceof Error ? error.message : 'not a connection string'}`);
  }
}

const nothing = (): void => undefined;

/** A client of one hub that says nothing by itself. @throws {Misuse} for a hub that has no valid name. */
export function serviceOf(around: Pick<Surroundings, 'env'>, hub: string): SignalboxClient {
  const { text } = connectionStringOf(around);
  try {
    const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
    return new SignalboxClient(text, { hub, logger });
  } catch (error) {
    throw asMisuse(error);
  }
}

/** What the SDK takes for a mistake of its caller is one of the command line. */
export function asMisuse(error: unknown): unknown {
  return error instanceof TypeError ? new Misuse(error.message) : error;
}
