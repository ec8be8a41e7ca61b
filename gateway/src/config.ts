import { admission } from './config-admission.ts';
import { bounds } from './config-bounds.ts';
import { operators } from './config-operators.ts';
import type { Setting } from './config-setting.ts';
import { surroundings } from './config-surroundings.ts';
import { traces } from './config-traces.ts';

export type { Setting };

/** Every setting there is. `--help`, `--print-config` and `docs/configuration.md` are made from this table. */
export const settings = { ...surroundings, ...admission, ...operators, ...traces, ...bounds } as const;

type ValueOf<S> = S extends Setting<infer T> ? T : never;

/** The settings of one process, read and checked. */
export type Config = { readonly [K in keyof typeof settings]: ValueOf<(typeof settings)[K]> };

/** A setting has a wrong value. The text names it; one line, ready to be printed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads every setting from the environment.
 * @throws {ConfigError} naming the first wrong setting, its rule and its value (never of a secret).
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const config: Record<string, unknown> = {};
  for (const [name, row] of Object.entries<Setting<unknown>>(settings)) {
    const given = env[row.env];
    config[name] = given === undefined || given === '' ? row.fallback : readOne(row, given);
  }
  refuseUnknown(env);
  return config as Config;
}

function readOne(row: Setting<unknown>, given: string): unknown {
  const value = row.read.read(given);
  if (value !== undefined) return value;
  const shown = row.secret ? `a value of ${given.length} characters` : JSON.stringify(given);
  throw new ConfigError(`${row.env} must be ${row.read.rule}, got ${shown}`);
}

const foreign = new Set(['SIGNALBOX_CONNECTION_STRING']);

/** A misspelt setting would be ignored in silence: refuse it by name. */
function refuseUnknown(env: Readonly<Record<string, string | undefined>>): void {
  const known = new Set(Object.values<Setting<unknown>>(settings).map((row) => row.env));
  for (const name of Object.keys(env)) {
    if (name.startsWith('SIGNALBOX_') && !known.has(name) && !foreign.has(name)) {
      throw new ConfigError(`${name} is no setting of the gateway; --help lists them`);
    }
  }
}
