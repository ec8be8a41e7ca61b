#!/usr/bin/env node
import { cannotStart, refusalLine } from './cannot-start.ts';
import { configText, helpText, readCommandLine } from './command-line.ts';
import { readConfig } from './config.ts';
import { runGateway } from './run.ts';
import { version } from './version.ts';

const command = readCommandLine(process.argv.slice(2));
try {
  if (command.kind === 'help') process.stdout.write(`${helpText()}\n`);
  else if (command.kind === 'version') process.stdout.write(`${version}\n`);
  else if (command.kind === 'wrong') refuse(command.line);
  else if (command.kind === 'print_config') process.stdout.write(`${configText(readConfig(process.env))}\n`);
  else await runGateway(readConfig(process.env));
} catch (error) {
  const line = refusalLine(error);
  if (line === undefined) throw error;
  refuse(line);
}

function refuse(line: string): void {
  process.stderr.write(`signalbox-gateway: ${line}\n`, () => process.exit(cannotStart));
}
