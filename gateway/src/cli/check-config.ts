import { refusalLine } from '../cannot-start.ts';
import { configText, configValues } from '../command-line.ts';
import { readConfig } from '../config.ts';
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
      // Loaded only here, as in start: no other command needs what these settings are for.
      const { checkTogether } = await import('./check-together.ts');
      checkTogether(config);
      out(given.flag('json') ? JSON.stringify(configValues(config)) : configText(config));
    } catch (error) {
      const line = refusalLine(error);
      throw line === undefined ? error : new Misuse(line);
    }
  },
};
