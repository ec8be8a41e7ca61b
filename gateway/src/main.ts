#!/usr/bin/env node
import { StartRefused } from './backplane/records.ts';
import { configText, helpText, readCommandLine } from './command-line.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { GatewayError } from './errors.ts';
import { startGateway } from './gateway.ts';
import { version } from './version.ts';

/** Wrong arguments, settings or surroundings: a supervisor should not try again at once. */
const cannotStart = 2;

const command = readCommandLine(process.argv.slice(2));
try {
  if (command.kind === 'help') process.stdout.write(`${helpText()}\n`);
  else if (command.kind === 'version') process.stdout.write(`${version}\n`);
  else if (command.kind === 'wrong') refuse(command.line);
  else if (command.kind === 'print_config') process.stdout.write(`${configText(readConfig(process.env))}\n`);
  else await run(readConfig(process.env));
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof StartRefused || error instanceof GatewayError)) throw error;
  refuse(error.message);
}

async function run(config: Config): Promise<void> {
  const gateway = await startGateway(config);
  if (gateway.connectionString !== undefined) {
    process.stderr.write(`\nSignalbox listens on ${gateway.endpoint}\nConnection string for apps:\n\n`);
    process.stderr.write(`  ${gateway.connectionString}\n\n`);
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);

  let stopping = false;
  function stop(): void {
    if (stopping) process.exit(1); // a second signal: at once
    stopping = true;
    void gateway.stop().then((inTime) => process.exit(inTime ? 0 : 1));
  }
}

function refuse(line: string): void {
  process.stderr.write(`signalbox-gateway: ${line}\n`, () => process.exit(cannotStart));
}
