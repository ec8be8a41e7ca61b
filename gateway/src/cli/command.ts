/** What an option takes: nothing, one text, or a text each time that it is given. */
export type OptionKind = 'flag' | 'text' | 'texts';

/** One option of a command. */
export interface Option {
  readonly kind: OptionKind;
  /** What stands for its value in help; of a flag nothing. */
  readonly value?: string;
  readonly doc: string;
}

/** The arguments of one run, read and checked against the options of the command. */
export interface Arguments {
  readonly positionals: readonly string[];
  flag(name: string): boolean;
  text(name: string): string | undefined;
  /** @throws {Misuse} when it was not given. */
  need(name: string): string;
  texts(name: string): readonly string[];
}

/** What a command may use of its process. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Writes a line for people or programs to standard output. */
  out(line: string): void;
  /** Aborted when the user wants it to end. */
  readonly signal: AbortSignal;
}

/** One command of `signalbox`. */
export interface Command {
  /** One line. */
  readonly summary: string;
  /** What stands behind its name. */
  readonly usage: string;
  /** What its first word may be, and what that means. */
  readonly kinds?: Readonly<Record<string, string>>;
  /** More for its help: the lines of a paragraph. */
  readonly about: readonly string[];
  readonly options: Readonly<Record<string, Option>>;
  /** How many words without dashes it takes. */
  readonly positionals: { readonly least: number; readonly most: number };
  /** @throws {Misuse | Failure} */
  run(given: Arguments, around: Surroundings): Promise<void>;
}

/** Exit codes; `--help` and cli.md tell them. */
export const exitCodes = {
  0: 'Done.',
  1: 'The service refused, did not answer, or ended it. Of `start`: the stop took longer than SIGNALBOX_DRAIN_MS.',
  2: 'Wrong arguments, settings or surroundings: the same again cannot help.',
} as const;

/** The command was not used as it wants to be: exit code 2. One line, which names the option and its value. */
export class Misuse extends Error {
  override readonly name = 'Misuse';
}

/** What was asked for did not happen: exit code 1. One line. */
export class Failure extends Error {
  override readonly name = 'Failure';
}
