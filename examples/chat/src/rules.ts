import type { Schema } from '@signalbox/app-sdk';

/** What one argument must be. */
export interface Rule<T> {
  readonly holds: (value: unknown) => value is T;
  /** In words. */
  readonly must: string;
}

/** A text of 1 to `most` characters. */
export const text = (most: number): Rule<string> => ({
  holds: (value): value is string => typeof value === 'string' && value.length >= 1 && value.length <= most,
  must: `a text of 1 to ${most} characters`,
});

/** A whole number from `least` to `most`. */
export const whole = (least: number, most: number): Rule<number> => ({
  holds: (value): value is number => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
  must: `a whole number from ${least} to ${most}`,
});

/**
 * The schema of an argument list: these arguments, no more and no fewer. `validate` takes any Standard Schema, so an app
 * that has zod, valibot or arktype writes `z.tuple([…])` and needs no such file.
 */
export function args<T extends unknown[]>(...rules: { [I in keyof T]: Rule<T[I]> }): Schema<T> {
  const validate: Schema<T>['~standard']['validate'] = (value) => {
    const given = value as unknown[];
    if (given.length !== rules.length) return issue(`expected ${rules.length} arguments, got ${given.length}`);
    const broken = rules.findIndex((rule, at) => !rule.holds(given[at]));
    return broken < 0 ? { value: given as T } : issue(`argument ${broken + 1} must be ${rules[broken]?.must}`);
  };
  return { '~standard': { version: 1, vendor: 'example-chat', validate } };
}

const issue = (message: string) => ({ issues: [{ message }] });
