import { SignalboxError } from '../errors.ts';
import { frame as framed, recordSeparator } from '../protocol/framing.ts';
import type { HubMessage, HubProtocol } from '../protocol/hub.ts';
import type { Frames } from './gateway.ts';

/** A call of a client method, once for each protocol of the hub. Throws ERR_ENCODE when one of them cannot hold it. */
export function encodeCall(
  protocols: readonly HubProtocol[],
  target: string,
  args: readonly unknown[],
  invocationId?: string,
): Frames {
  const frames = new Map<string, Uint8Array>();
  for (const protocol of protocols) frames.set(protocol.name, encodeOne(protocol, target, args, invocationId));
  return frames;
}

/** A call of a client method in one protocol. Throws ERR_ENCODE. */
export function encodeOne(
  protocol: HubProtocol,
  target: string,
  args: readonly unknown[],
  invocationId?: string,
): Uint8Array {
  try {
    return protocol.write({ kind: 'invocation', target, arguments: args, invocationId });
  } catch (cause) {
    const words = protocol.name === 'json' ? 'JSON' : 'MessagePack';
    throw new SignalboxError('ERR_ENCODE', `the arguments of "${target}" cannot be written as ${words}`, { cause });
  }
}

/** Bytes of all frames together. */
export function sizeOf(frames: Frames): number {
  let bytes = 0;
  for (const frame of frames.values()) bytes += frame.length;
  return bytes;
}

/** A record with its frame again, as the client sent it. */
export function frameAgain(protocol: HubProtocol, record: Uint8Array): Uint8Array {
  if (protocol.binary) return framed(record);
  const bytes = new Uint8Array(record.length + 1);
  bytes.set(record);
  bytes[record.length] = recordSeparator;
  return bytes;
}

/** The messages in whole framed bytes; those of unknown types are left out. Throws what the protocol throws. */
export function* readMessages(protocol: HubProtocol, bytes: Uint8Array): Generator<HubMessage> {
  for (const record of protocol.split({ limit: bytes.length }).push(bytes)) {
    const message = protocol.parse(record);
    if (message !== undefined) yield message;
  }
}
