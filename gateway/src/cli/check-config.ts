import { readIssuers } from '../auth/issuer-settings.ts';
import { accessKeyTexts } from '../auth/keys.ts';
import { redisTargetOf } from '../backbone.ts';
import { refusalLine } from '../cannot-start.ts';
import { configText, configValues } from '../command-line.ts';
import { type Config, readConfig } from '../config.ts';
import { readUpstream } from '../upstream/settings.ts';
import { checkWorkers } from '../workers/workers.ts';
import { type Command, Misuse } from './command.ts';

/** Reads every setting as `start` would, and prints what is in force. */
export const checkConfigCommand: Command = {
  summary: 'Check the settings of the environment, and print them.',
  usage: '[--json]',
  about: [
    'Reads all that `start` reads before it starts: settings, webhooks, issuers, the address of Redis. Secrets are printed as',
    '(set) or (unset). It connects to nothing: a port that is taken or a Redis that is away is not noticed.',
  ],
  options: { json: { kind: 'flag', doc: 'As one JSON object: variable and value.' } },
  positionals: { least: 0, most: 0 },
  async run(given, { env, out }) {
    try {
      const config = readConfig(env);
      checkTogether(config);
      out(given.flag('json') ? JSON.stringify(configValues(config)) : configText(config));
    } catch (error) {
      const line = refusalLine(error);
      throw line === undefined ? error : new Misuse(line);
    }
  },
};

/** What `start` finds wrong only with several settings together, or in the files that they name. */
function checkTogether(config: Config): void {
  const workers = config.workers > 1;
  if (workers) checkWorkers(config);
  accessKeyTexts(config, workers ? 'workers' : 'one');
  if (config.redisUrl !== undefined) redisTargetOf(config.redisUrl);
  readUpstream(config);
  readIssuers(config);
}
