import { createHmac, timingSafeEqual } from 'node:crypto';
import { GatewayError } from '../errors.ts';
import type { AccessKeys } from './keys.ts';

/**
 * The secret that a negotiated client shows in its URLs (architecture, section 6). Base64url without dots or padding, for
 * clients put it there unencoded:
 *
 * ```
 * time in ms, 6 bytes | seal, 18 bytes | user seal, 12 bytes | connection id, as text
 * ```
 *
 * The seal covers time, id and hub; the user seal these and the user. Two of them, so that the token of another user can be
 * told from one that was never made here. Any node checks it with nothing but the access keys.
 */
export interface ConnectionToken {
  readonly connectionId: string;
  /** From when on it opens nothing new, in ms since 1970. */
  readonly firstUseUntil: number;
}

export interface ConnectionTokensOptions {
  readonly keys: AccessKeys;
  /** Milliseconds between minting and first use. */
  readonly firstUseMs: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

const timeBytes = 6;
const sealBytes = 18;
const userSealBytes = 12;
const headBytes = timeBytes + sealBytes + userSealBytes;
const headChars = (headBytes / 3) * 4;
const form = new RegExp(`^[A-Za-z0-9_-]{${headChars + 1},${headChars + 64}}$`);

interface Sealer {
  readonly seal: Uint8Array;
  readonly userSeal: Uint8Array;
}

/** Mints and verifies connection tokens. */
export class ConnectionTokens {
  readonly #sealers: readonly [Sealer, ...Sealer[]];
  readonly #firstUseMs: number;
  readonly #now: () => number;

  constructor(options: ConnectionTokensOptions) {
    const [first, ...others] = options.keys.map((key) => ({
      seal: key.derive('connection token'),
      userSeal: key.derive('connection token user'),
    }));
    if (first === undefined) throw new TypeError('at least one access key is needed');
    this.#sealers = [first, ...others];
    this.#firstUseMs = options.firstUseMs;
    this.#now = options.now ?? Date.now;
  }

  /** Sealed with the first key. `user`: undefined for an anonymous client. */
  mint(connectionId: string, hub: string, user: string | undefined): string {
    const time = Buffer.alloc(timeBytes);
    time.writeUIntBE(this.#now(), 0, timeBytes);
    const [sealer] = this.#sealers;
    const head = [
      time,
      sealed(sealer.seal, time, connectionId, hub),
      userSealed(sealer, time, connectionId, hub, user),
    ];
    return Buffer.concat(head, headBytes).toString('base64url') + connectionId;
  }

  /**
   * What a token stands for.
   * @param use `first`: it opens a connection, so its age counts. `later`: it names one that is there.
   * @throws {GatewayError} `connection_token_unknown` when it was not made with an access key of this service for this hub,
   * or is too old; `user_mismatch` when it was made for somebody else.
   */
  verify(token: string, hub: string, user: string | undefined, use: 'first' | 'later'): ConnectionToken {
    if (!form.test(token)) throw unknown();
    const { seal, userSeal, time, connectionId } = partsOf(token);
    const sealer = this.#sealers.find((one) => timingSafeEqual(seal, sealed(one.seal, time, connectionId, hub)));
    if (sealer === undefined) throw unknown();
    if (!timingSafeEqual(userSeal, userSealed(sealer, time, connectionId, hub, user))) throw mismatch();
    const firstUseUntil = time.readUIntBE(0, timeBytes) + this.#firstUseMs;
    if (use === 'first' && !this.#inTime(firstUseUntil)) throw unknown();
    return { connectionId, firstUseUntil };
  }

  /** The connection that a token stands for, whoever its user is and however old it is; undefined when it is none of ours. */
  peek(token: string, hub: string): string | undefined {
    if (!form.test(token)) return undefined;
    const { seal, time, connectionId } = partsOf(token);
    const known = this.#sealers.some((one) => timingSafeEqual(seal, sealed(one.seal, time, connectionId, hub)));
    return known ? connectionId : undefined;
  }

  /** Not over, and not so far ahead that a claim kept for one lifetime could be over before. */
  #inTime(firstUseUntil: number): boolean {
    const left = firstUseUntil - this.#now();
    return left > 0 && left <= 2 * this.#firstUseMs;
  }
}

interface Parts {
  readonly time: Buffer;
  readonly seal: Buffer;
  readonly userSeal: Buffer;
  readonly connectionId: string;
}

function partsOf(token: string): Parts {
  const head = Buffer.from(token.slice(0, headChars), 'base64url');
  return {
    time: head.subarray(0, timeBytes),
    seal: head.subarray(timeBytes, timeBytes + sealBytes),
    userSeal: head.subarray(timeBytes + sealBytes),
    connectionId: token.slice(headChars),
  };
}

function sealed(key: Uint8Array, time: Uint8Array, ...names: (string | null)[]): Buffer {
  // JSON keeps the borders between the names.
  return createHmac('sha256', key).update(time).update(JSON.stringify(names)).digest().subarray(0, sealBytes);
}

function userSealed(sealer: Sealer, time: Uint8Array, id: string, hub: string, user: string | undefined): Buffer {
  return sealed(sealer.userSeal, time, id, hub, user ?? null).subarray(0, userSealBytes);
}

function unknown(): GatewayError {
  return new GatewayError('connection_token_unknown', 'No Connection with that ID');
}

function mismatch(): GatewayError {
  return new GatewayError('user_mismatch', 'the token belongs to another user than the connection');
}
