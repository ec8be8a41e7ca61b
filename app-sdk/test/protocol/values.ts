import fc from 'fast-check';

/** What JSON cannot tell apart or MessagePack keeps better is left out: -0, integers beyond 2^53, `__proto__`. */
function tame(name: string, value: unknown): unknown {
  if (name === '__proto__') return undefined;
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? 0 : value;
}

/** Values that are the same after a way through JSON or MessagePack. */
export const jsonValues = fc
  .jsonValue({ maxDepth: 4 })
  .map((value): unknown => JSON.parse(JSON.stringify(value, tame) ?? 'null'));
