import { type Command, exitCodes } from '../src/cli/command.ts';
import { commands, optionText } from '../src/cli/commands.ts';
import { code, page, table } from './markdown.ts';

/** The page of the commands, from their table. */
export function cliPage(): string {
  const exits = Object.entries(exitCodes).map(([number, doc]) => [code(number), doc]);
  return page(
    'The command line',
    '`signalbox` is a program of the package `@signalbox/gateway`:',
    [
      '```sh',
      'npx @signalbox/gateway --help         # from the registry',
      'npx signalbox --help                  # where the package is installed',
      'node gateway/dist/cli/main.js --help   # in this repository, after npm run build',
      '```',
    ].join('\n'),
    'Secrets come from the environment, never from the command line, where every user of the machine could read them:\n' +
      '`SIGNALBOX_CONNECTION_STRING` for `token` and `send`, `SIGNALBOX_ADMIN_TOKEN` for `tail` and `nodes`. No command prints\n' +
      'them. `--help` behind a command prints its part of this page.',
    ...Object.entries(commands).flatMap(([name, command]) => sections(name, command)),
    '## Exit codes',
    table(['code', 'meaning'], exits),
    'What is wrong is one line on standard error, which names the option and its value.',
  );
}

function sections(name: string, { summary, usage, kinds = {}, about, options }: Command): string[] {
  const rows = Object.entries(options).map(([option, { value, doc }]) => [code(optionText(option, value)), doc]);
  const words = Object.entries(kinds).map(([kind, doc]) => [code(kind), doc]);
  return [
    `## signalbox ${name}`,
    summary,
    ['```', `signalbox ${name} ${usage}`.trimEnd(), '```'].join('\n'),
    ...(about.length > 0 ? [about.join('\n')] : []),
    ...(words.length > 0 ? [table(['kind', 'meaning'], words)] : []),
    ...(rows.length > 0 ? [table(['option', 'meaning'], rows)] : []),
  ];
}
