/**
 * A decoded MessagePack value as JSON text: integers of 64 bits keep their digits, bytes become base64, times ISO 8601,
 * and what JSON has no form for (NaN, infinities, other extensions) null.
 */
export function valueJson(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null || value instanceof Date) return JSON.stringify(value) ?? 'null';
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'));
  if (Array.isArray(value)) return `[${value.map(valueJson).join(',')}]`;
  if (Object.getPrototypeOf(value) !== Object.prototype && Object.getPrototypeOf(value) !== null) return 'null';
  return `{${Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}:${valueJson(member)}`)
    .join(',')}}`;
}
