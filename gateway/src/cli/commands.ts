import { checkConfigCommand } from './check-config.ts';
import { type Command, exitCodes } from './command.ts';
import { nodesCommand } from './nodes.ts';
import { sendCommand } from './send.ts';
import { startCommand } from './start.ts';
import { tailCommand } from './tail.ts';
import { tokenCommand } from './token.ts';

/** Every command of `signalbox`, by name. Help and cli.md are made from this table. */
export const commands: Readonly<Record<string, Command>> = {
  start: startCommand,
  'check-config': checkConfigCommand,
  token: tokenCommand,
  send: sendCommand,
  tail: tailCommand,
  nodes: nodesCommand,
};

/** What `signalbox --help` prints. */
export function generalHelp(): string {
  return [
    'signalbox: a self-hosted SignalR service.',
    '',
    'signalbox <command> [options]',
    ...aligned(Object.entries(commands).map(([name, { summary }]) => [name, summary])),
    '',
    'signalbox <command> --help tells more of a command, signalbox start --settings every setting.',
    '',
    ...exitLines(),
  ].join('\n');
}

/** What `signalbox <command> --help` prints. */
export function commandHelp(name: string, { summary, usage, kinds = {}, about, options }: Command): string {
  const rows = Object.entries(options).map(([option, row]) => [optionText(option, row.value), row.doc] as const);
  return [
    summary,
    '',
    `signalbox ${name} ${usage}`.trimEnd(),
    ...(about.length > 0 ? ['', ...about] : []),
    ...aligned(Object.entries(kinds)),
    ...aligned(rows),
    '',
    ...exitLines(),
  ].join('\n');
}

/** Words with their meanings, below an empty line; nothing when there are none. */
function aligned(rows: readonly (readonly [string, string])[]): string[] {
  if (rows.length === 0) return [];
  const width = Math.max(...rows.map(([text]) => text.length));
  return ['', ...rows.map(([text, doc]) => `  ${text.padEnd(width)}  ${doc}`)];
}

/** An option as it is written. */
export function optionText(option: string, value: string | undefined): string {
  return value === undefined ? `--${option}` : `--${option} <${value}>`;
}

function exitLines(): string[] {
  return ['Exit codes:', ...Object.entries(exitCodes).map(([code, doc]) => `  ${code}  ${doc}`)];
}
