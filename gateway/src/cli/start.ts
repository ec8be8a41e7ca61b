import { refusalLine } from '../cannot-start.ts';
import { helpText } from '../command-line.ts';
import { readConfig } from '../config.ts';
import { type Command, Misuse } from './command.ts';

/** Starts a node. */
export const startCommand: Command = {
  summary: 'Start a node with the settings of the environment. What runs when no command is given.',
  usage: '[--settings]',
  about: [
    'Every setting is an environment variable; --settings lists them. SIGTERM and SIGINT stop the node in order.',
    '`node gateway/dist/main.js` is the same without a command, and needs no more than the build.',
  ],
  options: {
    settings: { kind: 'flag', doc: 'Start nothing: print every setting with its rule, default and meaning.' },
  },
  positionals: { least: 0, most: 0 },
  async run(given, { env, out }) {
    if (given.flag('settings')) {
      out(helpText());
      return;
    }
    try {
      // Loaded only here: no other command needs the native part and the client of Redis.
      const { runGateway } = await import('../run.ts');
      await runGateway(readConfig(env));
    } catch (error) {
      const line = refusalLine(error);
      throw line === undefined ? error : new Misuse(line);
    }
  },
};
