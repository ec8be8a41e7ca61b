#!/usr/bin/env node
import { version } from '../version.ts';
import { quoted, readArguments } from './arguments.ts';
import { type Command, Failure, Misuse } from './command.ts';
import { commandHelp, commands, generalHelp } from './commands.ts';

/** No command, or one that `start` takes by itself: a node is started. */
const usual = 'start';

process.exitCode = await run(process.argv.slice(2));

async function run(words: readonly string[]): Promise<number> {
  const [first, ...rest] = words;
  if (first === '--help' || first === '-h' || first === 'help') return print(generalHelp());
  if (first === '--version') return print(version);
  const command = first === undefined || first.startsWith('-') ? commands[usual] : find(first);
  const name = command === commands[usual] ? usual : (first ?? usual);
  if (command === undefined) return fail(2, `${quoted(first ?? '')} is no command; signalbox --help lists them`);
  const given = first?.startsWith('-') ? words : rest;
  if (given.includes('--help') || given.includes('-h')) return print(commandHelp(name, command));
  return attempt(name, command, given);
}

function find(name: string): Command | undefined {
  return Object.hasOwn(commands, name) ? commands[name] : undefined;
}

async function attempt(name: string, command: Command, words: readonly string[]): Promise<number> {
  const ending = new AbortController();
  const end = (): void => ending.abort();
  if (name !== usual) for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  const out = (line: string): void => void process.stdout.write(`${line}\n`);
  try {
    await command.run(readArguments(command, words), { env: process.env, out, signal: ending.signal });
    return 0;
  } catch (error) {
    if (error instanceof Misuse) return fail(2, `${name}: ${error.message}`);
    if (error instanceof Failure) return fail(1, `${name}: ${error.message}`);
    throw error;
  }
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

function fail(code: number, line: string): number {
  process.stderr.write(`signalbox ${line}\n`);
  return code;
}
