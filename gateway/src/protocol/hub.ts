/** The hub messages that the gateway writes itself; the codecs are shared with the app side. */
import {
  frame,
  type HubProtocol,
  hubProtocol,
  jsonToMessagePack,
  messagePackInvocation,
  parsePayloadJson,
  recordSeparator,
} from '@signalbox/app-sdk/protocol';
import { type CloseReason, closeReasons } from '../reasons.ts';

/** The MessagePack form of a framed JSON invocation. Integers keep their value, other numbers become float64. */
export function jsonInvocationToMessagePack(json: Uint8Array): Uint8Array {
  const body = json.at(-1) === recordSeparator ? json.subarray(0, -1) : json;
  const { target, argumentsJson } = parsePayloadJson(body);
  return messagePackInvocation({ target, rawArguments: jsonToMessagePack(argumentsJson) });
}

/** A record as it came, in its frame again: what is passed on is not encoded anew. */
export function framed(protocol: HubProtocol, record: Uint8Array): Uint8Array {
  return protocol.binary ? frame(record) : Buffer.concat([record, Uint8Array.of(recordSeparator)]);
}

/** A framed ping; undefined for a hub protocol that the gateway does not speak. */
export function pingBytes(protocol: string): Uint8Array | undefined {
  return hubProtocol(protocol)?.write({ kind: 'ping' });
}

/**
 * The framed Close message for a reason; undefined for a hub protocol that the gateway does not speak.
 * @param detail what the app said, for clients that may see it.
 */
export function closeBytes(protocol: string, reason: CloseReason, detail: string | undefined): Uint8Array | undefined {
  const { error, reconnect } = closeReasons[reason];
  const text = detail === undefined || detail === '' ? error : detail;
  return hubProtocol(protocol)?.write({
    kind: 'close',
    ...(text === undefined ? {} : { error: text }),
    ...(reconnect ? { allowReconnect: true } : {}),
  });
}
