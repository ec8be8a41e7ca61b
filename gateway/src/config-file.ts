import { readFileSync } from 'node:fs';
import { ConfigError } from './config.ts';

/** The text of a setting, and the name under which it was given. */
export interface SettingText {
  readonly setting: string;
  readonly text: string;
}

/**
 * The text of a setting that may stand in the environment or, under its name with `_FILE`, in a file.
 * @returns undefined when neither is set.
 * @throws {ConfigError} when both are set, or the file cannot be read.
 */
export function textOrFile(env: string, text: string | undefined, path: string | undefined): SettingText | undefined {
  if (text !== undefined && path !== undefined) throw new ConfigError(`${env} and ${env}_FILE must not both be set`);
  if (text !== undefined) return { setting: env, text };
  return path === undefined ? undefined : { setting: `${env}_FILE`, text: readSettingFile(`${env}_FILE`, path) };
}

/**
 * The text of a file that a setting names.
 * @throws {ConfigError} naming the setting, the path and why.
 */
export function readSettingFile(setting: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError(`${setting} must name a file that can be read, got ${path} (${code})`);
  }
}
