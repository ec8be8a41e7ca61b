import { closeBytes, pingBytes } from '../protocol/hub.ts';
import type { CloseReason } from '../reasons.ts';
import type { Connection } from './connection.ts';
import type { Frame } from './transport.ts';

/** The hub Close message for a client; undefined for a hub protocol that the gateway does not speak. */
export function closeFrame(connection: Connection, reason: CloseReason, detail: string | undefined): Frame | undefined {
  const { protocol, detailedErrors } = connection;
  return frameOf(protocol, closeBytes(protocol, reason, detailedErrors ? detail : undefined));
}

/** The ping of each hub protocol, made once. */
export function cachedPings(): (protocol: string) => Frame | undefined {
  const frames = new Map<string, Frame | undefined>();
  return (protocol) => {
    if (!frames.has(protocol)) frames.set(protocol, frameOf(protocol, pingBytes(protocol)));
    return frames.get(protocol);
  };
}

function frameOf(protocol: string, bytes: Uint8Array | undefined): Frame | undefined {
  return bytes && { bytes, binary: protocol !== 'json' };
}
