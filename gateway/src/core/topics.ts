import { createHash, createHmac, randomBytes } from 'node:crypto';

const tagBytes = 9;
const tagChars = 12;
const randomChars = 22;
/** Characters of a connection id: 22 random ones and the masked personal tag. */
export const connectionIdChars = randomChars + tagChars;
const longestName = 64;

/** Text as data inside a topic or key: nothing that is not a letter, digit, `_` or `-` stays, long names become their hash. */
export function encodeName(name: string): string {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(name)) return name;
  const raw = Buffer.from(name);
  if (raw.length > longestName) return `#${createHash('sha256').update(raw).digest('base64url')}`;
  let encoded = '';
  for (const byte of raw) {
    const char = String.fromCharCode(byte);
    encoded += /[A-Za-z0-9_-]/.test(char) ? char : `%${byte.toString(16).padStart(2, '0')}`;
  }
  return encoded;
}

/**
 * Names of topics, personal tags and connection ids (architecture, section 3). All topics of a hub share a Redis Cluster
 * hash tag, hence the braces: one slot, one connection, one order.
 */
export class Topics {
  readonly news: string;
  readonly #prefix: string;
  readonly #secret: string;

  /**
   * @param prefix prefix of the service, `@` and the database number included
   * @param secret the routing secret, the same on all nodes
   */
  constructor(prefix: string, secret: string) {
    this.#prefix = prefix;
    this.#secret = secret;
    this.news = `${prefix}:news`;
  }

  /** Watched by nodes with any connection on the hub. */
  all(hub: string): string {
    return `${this.#lane(hub)}:all`;
  }

  /** Watched by nodes with a member of the group. */
  group(hub: string, group: string): string {
    return `${this.#lane(hub)}:g:${encodeName(group)}`;
  }

  /** Watched by nodes with a connection of this personal tag. */
  personal(hub: string, tag: string): string {
    return `${this.#lane(hub)}:p:${tag}`;
  }

  /** Watched by one node: answers and probes. */
  node(node: string): string {
    return `${this.#prefix}:n:${node}`;
  }

  #lane(hub: string): string {
    return `{${this.#prefix}:h:${encodeName(hub)}}`;
  }

  /** The tag that all connections of a user share. */
  tagOfUser(hub: string, user: string): string {
    return this.#digest('user', hub, user).toString('base64url');
  }

  /** A new connection id. Its end is the personal tag, masked so that an id shows neither the user nor a shared user. */
  mint(hub: string, user: string | undefined): string {
    const random = randomBytes(16).toString('base64url');
    const tag = user === undefined ? this.#digest('connection', hub, random) : this.#digest('user', hub, user);
    return random + this.#masked(random, tag).toString('base64url');
  }

  /** The personal tag in a connection id; undefined when it has not the form of one. */
  tagOfConnection(connectionId: string): string | undefined {
    if (connectionId.length !== connectionIdChars || !/^[A-Za-z0-9_-]+$/.test(connectionId)) return undefined;
    const masked = Buffer.from(connectionId.slice(randomChars), 'base64url');
    return this.#masked(connectionId.slice(0, randomChars), masked).toString('base64url');
  }

  #digest(kind: string, hub: string, name: string): Buffer {
    const hmac = createHmac('sha256', this.#secret).update(`${kind}\n${hub}\n${name}`);
    return hmac.digest().subarray(0, tagBytes);
  }

  #masked(random: string, tag: Buffer): Buffer {
    const mask = createHmac('sha256', this.#secret).update(`mask\n${random}`).digest();
    const out = Buffer.allocUnsafe(tagBytes);
    for (let i = 0; i < tagBytes; i++) out[i] = tag.readUInt8(i) ^ mask.readUInt8(i);
    return out;
  }
}
