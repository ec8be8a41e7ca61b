import type { Config } from '../config.ts';
import { GatewayError } from '../errors.ts';

/** The settings that bound what one message of a link may name. */
export type LinkNameLimits = Pick<Config, 'groupNameChars' | 'userIdChars' | 'listLength'>;

const largestTtl = 2_147_483_647;

/** Checks the names in messages of links: each method gives back what is within its rule. */
export class LinkNames {
  readonly #limits: LinkNameLimits;

  constructor(limits: LinkNameLimits) {
    this.#limits = limits;
  }

  /** @throws {GatewayError} `name_invalid` */
  group(group: string): string {
    bounded('group', group, this.#limits.groupNameChars);
    if (group.trim() === '') throw new GatewayError('name_invalid', '"group" must not be only white space');
    return group;
  }

  /** One group, or undefined for all of them. @throws {GatewayError} `name_invalid` */
  groupOrAll(group: string | undefined): string | undefined {
    return group === undefined ? undefined : this.group(group);
  }

  /** @throws {GatewayError} `name_invalid` */
  user(user: string): string {
    bounded('user', user, this.#limits.userIdChars);
    return user;
  }

  /** @throws {GatewayError} `request_invalid` when the list is longer than SIGNALBOX_LIST_LENGTH. */
  list(name: string, list: readonly string[]): readonly string[] {
    const most = this.#limits.listLength;
    if (list.length <= most) return list;
    throw new GatewayError('request_invalid', `"${name}" must name at most ${most}, got ${list.length}`);
  }

  /** Seconds of a standing membership; absent is not 0. @throws {GatewayError} `request_invalid` */
  ttlSeconds(ttl: number | undefined): number | undefined {
    if (ttl === undefined || (ttl >= 0 && ttl <= largestTtl)) return ttl;
    throw new GatewayError('request_invalid', `"ttl" must be 0 to ${largestTtl}, got ${ttl}`);
  }
}

function bounded(name: string, value: string, most: number): void {
  if (value.length >= 1 && value.length <= most) return;
  throw new GatewayError('name_invalid', `"${name}" must be 1 to ${most} characters, got ${value.length}`);
}
