import { describe, expect, test } from 'vitest';
import { readArguments, wholeNumber } from '../../src/cli/arguments.ts';
import { type Command, Misuse } from '../../src/cli/command.ts';
import { commandHelp, commands } from '../../src/cli/commands.ts';
import { happeningLine } from '../../src/cli/happening-line.ts';

const command: Pick<Command, 'options' | 'positionals'> = {
  options: {
    json: { kind: 'flag', doc: '' },
    hub: { kind: 'text', value: 'hub', doc: '' },
    claim: { kind: 'texts', value: 'claim', doc: '' },
  },
  positionals: { least: 1, most: 2 },
};

describe('the words behind a command', () => {
  test('are its options, in any order, and what is left', () => {
    const given = readArguments(command, [
      'first',
      '--hub=chat',
      '--claim',
      'a=1',
      '--json',
      '--claim=b=2',
      '--',
      '-x',
    ]);
    expect(given.positionals).toEqual(['first', '-x']);
    expect([given.need('hub'), given.flag('json'), given.texts('claim')]).toEqual(['chat', true, ['a=1', 'b=2']]);
  });

  test.each([
    [['w', '--hubb', 'x'], '--hubb is no option of this command'],
    [['w', '--toString'], '--toString is no option of this command'],
    [['w', '-h'], '-h is no option of this command'],
    [['w', '--hub'], '--hub needs a value'],
    [['w', '--hub', ''], '--hub needs a value'],
    [['w', '--hub', 'a', '--hub', 'b'], '--hub must be given once'],
    [['w', '--json=yes'], '--json takes no value, got "yes"'],
    [['a', 'b', 'c'], '"c" is one word too many'],
    [[], '1 more to say behind the command'],
  ])('%j are refused', (words, text) => {
    expect(() => readArguments(command, words)).toThrow(new Misuse(text));
  });

  test.each(['', '-1', '1.5', '11', 'ten', '1e1'])('%j is no whole number from 0 to 10', (text) => {
    expect(() => wholeNumber('ttl', text, 0, 10)).toThrow(Misuse);
  });
});

test.each(Object.entries(commands))('the help of %s tells each option and every exit code', (name, one) => {
  const help = commandHelp(name, one);
  expect(help.startsWith(one.summary)).toBe(true);
  for (const option of Object.keys(one.options)) expect(help).toContain(`--${option}`);
  for (const exit of ['0', '1', '2']) expect(help).toMatch(new RegExp(`^  ${exit}  \\S`, 'm'));
});

test('what a client calls itself cannot move the cursor of a terminal', () => {
  const line = happeningLine({
    at: 0,
    node: 'n',
    event: 'joined',
    hub: 'h',
    connection: 'c',
    user: '\u001b[2Jann\r\n',
    group: 'g\u0007\u007f',
  });
  expect(line).toBe('00:00:00.000  joined    h  \\u001b[2Jann\\r\\n (c…)  group g\\u0007\\u007f');
});
