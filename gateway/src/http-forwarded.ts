import { BlockList, isIP } from 'node:net';
import { readRange } from './config-ranges.ts';

/** Who sent a request, and what for, as far as this can be believed. */
export interface Sender {
  /** IP address of the client in its shortest form; an IPv4 address is written as one, however it came. */
  readonly address: string;
  /** How the client speaks to the service. */
  readonly scheme: 'http' | 'https';
  /** The name, with a port if it has one, by which it knows the service. */
  readonly host: string | undefined;
}

/** What a request says of itself. */
interface Said {
  /** Address of the socket's other end. */
  readonly peer: string;
  readonly scheme: Sender['scheme'];
  readonly header: (name: string) => string | undefined;
}

/**
 * The proxies whose word is taken for where a request comes from (SIGNALBOX_TRUSTED_PROXIES). Each adds the address of who
 * spoke to it at the end of `X-Forwarded-For`; so the list is read from its end, up to the first address that is no proxy of
 * ours. What stands before that was said by somebody unknown.
 */
export class TrustedProxies {
  readonly #ranges = new BlockList();
  readonly #any: boolean;

  /**
   * @param ranges as {@link readRange} takes them; none: nobody is believed
   * @throws {TypeError} when one is no range.
   */
  constructor(ranges: readonly string[]) {
    this.#any = ranges.length > 0;
    for (const text of ranges) {
      const range = readRange(text);
      if (range === undefined) throw new TypeError(`"ranges" must be addresses and ranges, got ${text}`);
      this.#ranges.addSubnet(range.address, range.bits, range.family);
    }
  }

  /** Who sent a request. */
  sender({ peer, scheme, header }: Said): Sender {
    const host = header('host');
    const direct = { address: shortest(peer) ?? peer, scheme, host };
    if (!this.#any || !this.#trusts(direct.address)) return direct;
    const { address, proxies } = this.#walk(direct.address, listed(header('x-forwarded-for')));
    const says = (name: string): string | undefined => saidByOutermost(listed(header(name)), proxies);
    return {
      address,
      scheme: schemeOf(says('x-forwarded-proto')) ?? scheme,
      host: hostOf(says('x-forwarded-host')) ?? host,
    };
  }

  #trusts(address: string): boolean {
    const version = isIP(address);
    return version !== 0 && this.#ranges.check(address, version === 4 ? 'ipv4' : 'ipv6');
  }

  /** The client, and how many proxies of ours stand before it. */
  #walk(peer: string, hops: readonly string[]): { address: string; proxies: number } {
    let address = peer;
    let proxies = 1;
    for (const hop of hops.toReversed()) {
      const said = addressOf(hop);
      if (said === undefined) break;
      address = said;
      if (!this.#trusts(said)) break;
      proxies++;
    }
    return { address, proxies };
  }
}

function listed(value: string | undefined): readonly string[] {
  return value === undefined ? [] : value.split(',').map((item) => item.trim());
}

/** Proxies that add to a header leave the word of the outermost so many places from its end; those that replace it, one word. */
function saidByOutermost(words: readonly string[], proxies: number): string | undefined {
  return words[Math.max(0, words.length - proxies)];
}

/** `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`; undefined: no address. */
function addressOf(hop: string): string | undefined {
  const bracketed = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(hop)?.[1];
  const withPort = /^(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/.exec(hop)?.[1];
  return shortest(bracketed ?? withPort ?? hop);
}

/** Undefined when it is no address. */
function shortest(text: string): string | undefined {
  const version = isIP(text);
  if (version === 4) return text;
  if (version === 0 || text.includes('%')) return undefined;
  const short = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short) ?? [];
  if (high === undefined || low === undefined) return short;
  const bytes = [high, low].flatMap((part) => [Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 0xff]);
  return bytes.join('.');
}

function schemeOf(word: string | undefined): Sender['scheme'] | undefined {
  const scheme = word?.toLowerCase();
  return scheme === 'http' || scheme === 'https' ? scheme : undefined;
}

const hostForm = /^([A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?$/;

function hostOf(word: string | undefined): string | undefined {
  return word !== undefined && hostForm.test(word) && URL.canParse(`http://${word}`) ? word : undefined;
}
