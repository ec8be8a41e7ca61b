import { readRange } from './config-ranges.ts';

/** Reads the text of a setting; `undefined` when it breaks the rule, which completes "X must be …". */
export interface Reader<T> {
  readonly rule: string;
  read(text: string): T | undefined;
}

function integer(min: number, max: number, unit: string): Reader<number> {
  return {
    rule: `an integer from ${min} to ${max}${unit}`,
    read(text) {
      if (!/^\d{1,15}$/.test(text)) return undefined;
      const value = Number(text);
      return value >= min && value <= max ? value : undefined;
    },
  };
}

function text(min: number, max: number, pattern?: RegExp): Reader<string> {
  const form = pattern === undefined ? '' : ` matching ${pattern.source}`;
  return {
    rule: `${min} to ${max} characters${form}`,
    read: (given) => (given.length >= min && given.length <= max && (pattern?.test(given) ?? true) ? given : undefined),
  };
}

function split(given: string): string[] {
  return given
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function list(maxItemChars: number): Reader<readonly string[]> {
  return {
    rule: `a comma-separated list, each item at most ${maxItemChars} characters`,
    read(given) {
      const items = split(given);
      return items.every((item) => item.length <= maxItemChars) ? items : undefined;
    },
  };
}

/** As browsers write an `Origin`: anything else would never match, in silence. */
const originForm = /^(\*|null|[a-z][a-z0-9+.-]*:\/\/[^/?#\s@]+)$/i;

const origins: Reader<readonly string[]> = {
  rule: 'a comma-separated list of origins (scheme://host or scheme://host:port, no path), null, or *',
  read(given) {
    const items = split(given);
    return items.length > 0 && items.every((item) => originForm.test(item)) ? items : undefined;
  },
};

const ranges: Reader<readonly string[]> = {
  rule: 'a comma-separated list of IP addresses and ranges such as 10.0.0.0/8 or fd00::/8',
  read(given) {
    const items = split(given);
    return items.every((item) => readRange(item) !== undefined) ? items : undefined;
  },
};

function secretList(minChars: number): Reader<readonly string[]> {
  return {
    rule: `one or more keys of at least ${minChars} characters, separated by commas`,
    read(given) {
      const items = split(given);
      return items.length > 0 && items.every((item) => item.length >= minChars) ? items : undefined;
    },
  };
}

function choice<const T extends string>(...values: readonly T[]): Reader<T> {
  return { rule: `one of ${values.join(', ')}`, read: (given) => values.find((value) => value === given) };
}

function subset<const T extends string>(...values: readonly T[]): Reader<readonly T[]> {
  return {
    rule: `a comma-separated list of ${values.join(', ')}, at least one`,
    read(given) {
      const items = split(given);
      const known = items.every((item) => values.some((value) => value === item));
      return known && items.length > 0 ? values.filter((value) => items.includes(value)) : undefined;
    },
  };
}

function optional<T>(reader: Reader<T>): Reader<T | undefined> {
  return reader;
}

function msOrNever(min: number, max: number): Reader<number> {
  const inner = integer(min, max, ' ms');
  return {
    rule: `${inner.rule}, or never`,
    read: (given) => (given === 'never' ? Number.POSITIVE_INFINITY : inner.read(given)),
  };
}

const modes = ['default', 'serverless', 'auto'] as const;

/** `hub=mode` pairs; `*` stands for every other hub. */
const hubModes: Reader<ReadonlyMap<string, (typeof modes)[number]>> = {
  rule: `a comma-separated list of hub=mode, mode one of ${modes.join(', ')}, * for every other hub`,
  read(given) {
    const read = new Map<string, (typeof modes)[number]>();
    for (const item of split(given)) {
      const [hub, name, ...more] = item.split('=').map((part) => part.trim());
      const mode = modes.find((one) => one === name);
      if (!hub || mode === undefined || more.length > 0) return undefined;
      read.set(hub.toLowerCase(), mode);
    }
    return read;
  },
};

const ratio: Reader<number> = {
  rule: 'a number from 0 to 1',
  read: (given) => (/^(0(\.\d{1,9})?|1(\.0{1,9})?)$/.test(given) ? Number(given) : undefined),
};

const flag: Reader<boolean> = {
  rule: 'true or false',
  read: (given) => (given === 'true' ? true : given === 'false' ? false : undefined),
};

/** The kinds of setting there are. */
export const readers = {
  count: (min: number, max: number) => integer(min, max, ''),
  bytes: (min: number, max: number) => integer(min, max, ' bytes'),
  ms: (min: number, max: number) => integer(min, max, ' ms'),
  port: integer(0, 65_535, ' (0: any free port)'),
  text,
  list,
  origins,
  ranges,
  secretList,
  choice,
  subset,
  optional,
  msOrNever,
  hubModes,
  ratio,
  flag,
} as const;
