import { parseArgs } from 'node:util';
import { type Arguments, type Command, Misuse, type Option } from './command.ts';

/**
 * Reads the words behind the name of a command.
 * @throws {Misuse} naming the word that is wrong.
 */
export function readArguments(command: Pick<Command, 'options' | 'positionals'>, words: readonly string[]): Arguments {
  const { options } = command;
  const types = Object.entries(options).map(([name, { kind }]) => [
    name,
    { type: kind === 'flag' ? 'boolean' : 'string' },
  ]);
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries(types) as Record<string, { type: 'boolean' | 'string' }>,
    strict: false,
    tokens: true,
  });
  const positionals: string[] = [];
  const values = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind === 'option') keep(values, options, token);
  }
  checkPositionals(command, positionals);
  return given(positionals, values);
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
}

function keep(values: Map<string, string[]>, options: Command['options'], { name, rawName, value }: OptionToken): void {
  const option: Option | undefined = Object.hasOwn(options, name) ? options[name] : undefined;
  if (option === undefined) throw new Misuse(`${rawName} is no option of this command`);
  const before = values.get(name) ?? [];
  if (option.kind !== 'texts' && before.length > 0) throw new Misuse(`${rawName} must be given once`);
  if (option.kind === 'flag' && value !== undefined)
    throw new Misuse(`${rawName} takes no value, got ${quoted(value)}`);
  if (option.kind !== 'flag' && (value === undefined || value === '')) throw new Misuse(`${rawName} needs a value`);
  values.set(name, [...before, value ?? '']);
}

function checkPositionals({ positionals }: Pick<Command, 'positionals'>, words: readonly string[]): void {
  const { least, most } = positionals;
  const extra = words[most];
  if (extra !== undefined) throw new Misuse(`${quoted(extra)} is one word too many`);
  if (words.length < least) throw new Misuse(`${least - words.length} more to say behind the command`);
}

function given(positionals: readonly string[], values: ReadonlyMap<string, readonly string[]>): Arguments {
  return {
    positionals,
    flag: (name) => values.has(name),
    text: (name) => values.get(name)?.[0],
    texts: (name) => values.get(name) ?? [],
    need(name) {
      const value = values.get(name)?.[0];
      if (value === undefined) throw new Misuse(`--${name} must be given`);
      return value;
    },
  };
}

/** A word of the command line in an error. */
export function quoted(word: string): string {
  return JSON.stringify(word.length > 80 ? `${word.slice(0, 80)}…` : word);
}

/** A whole number within bounds. @throws {Misuse} */
export function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new Misuse(`--${option} must be a whole number from ${least} to ${most}, got ${quoted(text)}`);
}
