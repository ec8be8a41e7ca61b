#!/usr/bin/env node
import { cannotStart, refusalLine } from './cannot-start.ts';
import { configText, helpText, readCommandLine } from './command-line.ts';
import { type Config, readConfig } from './config.ts';
import { startGateway } from './gateway.ts';
import { version } from './version.ts';
import { startWorkers } from './workers/workers.ts';

const command = readCommandLine(process.argv.slice(2));
try {
  if (command.kind === 'help') process.stdout.write(`${helpText()}\n`);
  else if (command.kind === 'version') process.stdout.write(`${version}\n`);
  else if (command.kind === 'wrong') refuse(command.line);
  else if (command.kind === 'print_config') process.stdout.write(`${configText(readConfig(process.env))}\n`);
  else await run(readConfig(process.env));
} catch (error) {
  const line = refusalLine(error);
  if (line === undefined) throw error;
  refuse(line);
}

async function run(config: Config): Promise<void> {
  const workers = config.workers > 1 ? await startWorkers(config, process.env) : undefined;
  const running = workers ?? (await startGateway(config));
  if (running.connectionString !== undefined) {
    process.stderr.write(`\nSignalbox listens on ${running.endpoint}\nConnection string for apps:\n\n`);
    process.stderr.write(`  ${running.connectionString}\n\n`);
    if ('operatorsPage' in running && running.operatorsPage !== undefined) {
      process.stderr.write(`Operators' page:\n\n  ${running.operatorsPage}\n\n`);
    }
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);

  let stopping = false;
  function stop(): void {
    if (stopping) {
      workers?.kill();
      process.exit(1); // a second signal: at once
    }
    stopping = true;
    void running.stop().then((inTime) => process.exit(inTime ? 0 : 1));
  }
}

function refuse(line: string): void {
  process.stderr.write(`signalbox-gateway: ${line}\n`, () => process.exit(cannotStart));
}
