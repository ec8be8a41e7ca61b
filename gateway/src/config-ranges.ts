import { isIP } from 'node:net';

/** A range of IP addresses. */
export interface AddressRange {
  readonly address: string;
  /** How many of its first bits count. */
  readonly bits: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** Reads an address, or a range as in `10.0.0.0/8` or `fd00::/8`; undefined when it is none. */
export function readRange(text: string): AddressRange | undefined {
  const [, address = '', digits] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0) return undefined;
  const most = version === 4 ? 32 : 128;
  const bits = digits === undefined ? most : Number(digits);
  return bits <= most ? { address, bits, family: version === 4 ? 'ipv4' : 'ipv6' } : undefined;
}
