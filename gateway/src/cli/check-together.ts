import { readIssuers } from '../auth/issuer-settings.ts';
import { accessKeyTexts } from '../auth/keys.ts';
import { redisTargetOf } from '../backbone.ts';
import type { Config } from '../config.ts';
import { readUpstream } from '../upstream/settings.ts';
import { checkWorkers } from '../workers/workers.ts';

/**
 * What `start` finds wrong only with several settings together, or in the files that they name.
 * @throws {ConfigError} with one line for people.
 */
export function checkTogether(config: Config): void {
  const workers = config.workers > 1;
  if (workers) checkWorkers(config);
  accessKeyTexts(config, workers ? 'workers' : 'one');
  if (config.redisUrl !== undefined) redisTargetOf(config.redisUrl);
  readUpstream(config);
  readIssuers(config);
}
