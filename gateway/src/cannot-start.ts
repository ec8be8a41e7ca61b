import { StartRefused } from './backplane/records.ts';
import { ConfigError } from './config.ts';
import { GatewayError } from './errors.ts';

/** Exit code for wrong arguments, settings or surroundings: a supervisor should not try again at once. */
export const cannotStart = 2;

/** The one line for people of what keeps a node from starting; undefined for anything else, which is a defect. */
export function refusalLine(error: unknown): string | undefined {
  const known = error instanceof ConfigError || error instanceof StartRefused || error instanceof GatewayError;
  return known ? error.message : undefined;
}
