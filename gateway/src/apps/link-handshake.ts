import { type ServiceMessageOf, serverConnectionTypes } from '@signalbox/app-sdk/protocol';

/** The only version there is. */
const version = 1;

const types: readonly number[] = Object.values(serverConnectionTypes);

/** What an app server agreed on for one link. */
export interface LinkTerms {
  readonly kind: 'accepted';
  /** May it carry clients? Weak links only send and ask. */
  readonly carries: boolean;
  /** Do its clients move to another app server when this one leaves (migration level 1)? */
  readonly migrates: boolean;
}

/** The terms of a handshake, or the text that refuses it (service protocol, 7.1). */
export function acceptLink(
  request: ServiceMessageOf<'HandshakeRequest'>,
): LinkTerms | { kind: 'refused'; error: string } {
  const { version: asked, connectionType, migrationLevel } = request;
  if (asked !== version) return { kind: 'refused', error: `Unsupported version: it must be ${version}, got ${asked}.` };
  if (!types.includes(connectionType)) {
    return { kind: 'refused', error: `Unsupported connection type: it must be 0, 1 or 2, got ${connectionType}.` };
  }
  return {
    kind: 'accepted',
    carries: connectionType !== serverConnectionTypes.weak,
    migrates: migrationLevel >= 1,
  };
}
