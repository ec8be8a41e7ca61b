import { describe } from './address.ts';
import type { HubContract } from './contract.ts';
import { type HubPlan, lowerAscii, type Method, planKey, type Rule, type Settings } from './hub/plan.ts';
import type { HubDefinition, HubFilter, HubOptions } from './hub.ts';
import { hubName } from './hub-name.ts';
import type { HubProtocol } from './protocol/hub.ts';
import { hubProtocols } from './protocol/hub-protocols.ts';

const longestTimer = 2 ** 31 - 1;

/** Default, least and most of each number. */
const numbers = {
  maxMessageBytes: [32_768, 64, 2 ** 30],
  uploadBuffer: [10, 1, 100_000],
  parallelInvocations: [1, 1, 1000],
  keepAliveMs: [15_000, 1, longestTimer],
  clientTimeoutMs: [30_000, 1, longestTimer],
  handshakeTimeoutMs: [15_000, 1, longestTimer],
  clientResultTimeoutMs: [30_000, 1, longestTimer],
} as const;

type NumberName = keyof typeof numbers;

const functions = ['onConnected', 'onDisconnected', 'items'] as const;
const others = ['name', 'methods', 'filters', 'authorize', 'validate', 'detailedErrors', 'protocols'];
const known = new Set<string>([...Object.keys(numbers), ...functions, ...others]);

type Options = Readonly<Record<string, unknown>>;
type AnyFunction = (...args: unknown[]) => unknown;

function readNumber(options: Options, name: NumberName): number {
  const [fallback, least, most] = numbers[name];
  const value = options[name] ?? fallback;
  if (Number.isInteger(value) && Number(value) >= least && Number(value) <= most) return Number(value);
  throw new TypeError(`"${name}" must be a whole number from ${least} to ${most}, got ${describe(value)}`);
}

function readFunction(value: unknown, name: string): AnyFunction {
  if (typeof value === 'function') return value as AnyFunction;
  throw new TypeError(`"${name}" must be a function, got ${describe(value)}`);
}

function readOptional(options: Options, name: (typeof functions)[number]): AnyFunction | undefined {
  if (options[name] === undefined) return undefined;
  const read = readFunction(options[name], name);
  return (...args) => Reflect.apply(read, options, args);
}

function readProtocols(value: unknown = [...hubProtocols.keys()]): readonly HubProtocol[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw new TypeError(`"protocols" must name at least one hub protocol, got ${describe(value)}`);
  }
  return [...new Set(value)].map((name: unknown) => {
    const protocol = typeof name === 'string' ? hubProtocols.get(name) : undefined;
    if (protocol === undefined) throw new TypeError(`"protocols" must be of json, messagepack, got ${describe(name)}`);
    return protocol;
  });
}

function readFilters(value: unknown = []): readonly HubFilter[] {
  if (!Array.isArray(value)) throw new TypeError(`"filters" must be an array, got ${describe(value)}`);
  return value.map((filter, index) => readFunction(filter, `filters[${index}]`) as HubFilter);
}

function readObject(value: unknown, name: string): Options {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Options;
  throw new TypeError(`"${name}" must be an object, got ${describe(value)}`);
}

function readRules(value: unknown, name: string, methods: Options, more: readonly string[] = []): Options {
  const rules = readObject(value ?? {}, name);
  const stray = Object.keys(rules).find((key) => !Object.hasOwn(methods, key) && !more.includes(key));
  if (stray === undefined) return rules;
  throw new TypeError(`"${name}" must name methods of the hub; it has no "${stray}"`);
}

function ownRule(rules: Options, name: string, place: string): Rule[] {
  if (!Object.hasOwn(rules, name) || rules[name] === undefined) return [];
  return [readFunction(rules[name], `${place}.${name}`) as Rule];
}

function readSchema(schemas: Options, name: string): Method['validate'] {
  const schema = Object.hasOwn(schemas, name) ? schemas[name] : undefined;
  if (schema === undefined) return undefined;
  const standard = (schema as { '~standard'?: { validate?: unknown } } | null)?.['~standard'];
  if (typeof standard?.validate === 'function') return schema as Method['validate'];
  throw new TypeError(`"validate.${name}" must be a Standard Schema, got ${describe(schema)}`);
}

function readMethods(options: Options): Map<string, Method> {
  const given = readObject(options['methods'], 'methods');
  const rules = readRules(options['authorize'], 'authorize', given, ['*']);
  const schemas = readRules(options['validate'], 'validate', given);
  const forAll = ownRule(rules, '*', 'authorize');
  const methods = new Map<string, Method>();
  for (const [name, value] of Object.entries(given)) {
    const run = readFunction(value, `methods.${name}`);
    const twin = methods.get(lowerAscii(name));
    if (twin !== undefined) throw new TypeError(`methods "${twin.name}" and "${name}" differ only by case`);
    methods.set(lowerAscii(name), {
      name,
      parameters: Math.max(0, run.length - 1),
      authorize: name === '*' ? forAll : [...forAll, ...ownRule(rules, name, 'authorize')],
      validate: readSchema(schemas, name),
      run: (hub, args) => Reflect.apply(run, given, [hub, ...args]),
    });
  }
  for (const method of [...methods.values()]) methods.set(method.name, method);
  return methods;
}

function readSettings(options: Options): Settings {
  const names = Object.keys(numbers) as NumberName[];
  const read = Object.fromEntries(names.map((name) => [name, readNumber(options, name)])) as Record<NumberName, number>;
  return { ...read, detailedErrors: options['detailedErrors'] === true };
}

function nothing(): void {
  // A hub need not care for connects and disconnects.
}

function checkNames(options: Options): void {
  const stray = Object.keys(options).find((name) => !known.has(name));
  if (stray !== undefined) throw new TypeError(`defineHub has no option "${stray}"`);
}

/**
 * A hub as a value: hosts run it. Throws `TypeError` for settings out of range, for methods that are no functions, for two
 * keys that differ only by the case of ASCII letters, and for rules of methods that are not there.
 */
export function defineHub<C extends HubContract, I extends object = Record<string, unknown>>(
  given: HubOptions<C, I>,
): HubDefinition<C, I> {
  const options = readObject(given, 'options');
  checkNames(options);
  hubName(options['name']);
  const plan: HubPlan = {
    ...readSettings(options),
    name: given.name,
    protocols: readProtocols(options['protocols']),
    filters: readFilters(options['filters']),
    methods: readMethods(options),
    items: readOptional(options, 'items') ?? (() => ({})),
    onConnected: readOptional(options, 'onConnected') ?? nothing,
    onDisconnected: readOptional(options, 'onDisconnected') ?? nothing,
    keepsItems: options['items'] !== undefined,
  };
  return Object.freeze({ name: plan.name, methods: given.methods, [planKey]: plan });
}
