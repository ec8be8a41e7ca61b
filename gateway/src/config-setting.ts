import type { Reader } from './config-readers.ts';

/** One setting: its environment variable, how its text is read, its default and its meaning. */
export interface Setting<T> {
  readonly env: string;
  readonly read: Reader<T>;
  readonly fallback: T;
  readonly doc: string;
  /** Never printed. */
  readonly secret?: true;
}

/** One row of the table of settings. */
export function setting<T>(env: string, read: Reader<T>, fallback: T, doc: string, secret?: true): Setting<T> {
  return secret ? { env, read, fallback, doc, secret } : { env, read, fallback, doc };
}
