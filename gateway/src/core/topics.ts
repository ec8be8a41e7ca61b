import { createHmac, randomBytes } from 'node:crypto';
import { encodeName } from '../backplane/names.ts';

const tagBytes = 9;
const tagChars = 12;
const randomChars = 22;
/** Characters of a connection id: 22 random ones and the masked personal tag. */
export const connectionIdChars = randomChars + tagChars;

/** Names of topics, personal tags and connection ids (architecture, section 3). */
export class Topics {
  /** Watched by every node that hears all it wants to hear: as many watchers as living nodes means a settled view. */
  readonly settled: string;
  readonly #prefix: string;
  readonly #secret: string;
  readonly #hashTags: boolean;

  /**
   * @param prefix prefix of the service, `@` and the database number included
   * @param secret the routing secret, the same on all nodes
   * @param hashTags must topics carry the hash tags of a Redis Cluster? One slot, one order for all topics of a hub.
   */
  constructor(prefix: string, secret: string, hashTags: boolean) {
    this.#prefix = prefix;
    this.#secret = secret;
    this.#hashTags = hashTags;
    this.settled = this.node('settled');
  }

  /** Says which routing secret it is and nothing more: safe in records. */
  get fingerprint(): string {
    return this.#digest('fingerprint', '', '').toString('base64url');
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

  /** Watched by one node: streams between its clients and links elsewhere, and the other way round. */
  stream(hub: string, node: string): string {
    return `${this.#lane(hub)}:n:${node}`;
  }

  /** Watched by every node: what nodes say of themselves. */
  get news(): string {
    return `${this.#tagged(this.#prefix)}:news`;
  }

  /** Watched by one node: answers and probes. */
  node(node: string): string {
    return `${this.#tagged(this.#prefix)}:n:${node}`;
  }

  #lane(hub: string): string {
    return this.#tagged(`${this.#prefix}:h:${encodeName(hub)}`);
  }

  #tagged(lane: string): string {
    return this.#hashTags ? `{${lane}}` : lane;
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
