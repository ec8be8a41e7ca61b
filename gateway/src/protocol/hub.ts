/** The hub messages that the gateway writes itself; the codecs are shared with the app side. */
import {
  frame,
  type HubProtocol,
  hubMessageTypes,
  hubProtocol,
  hubProtocols,
  type JsonPayload,
  jsonInvocation,
  jsonToMessagePack,
  MalformedError,
  messagePackInvocation,
  parsePayloadJson,
  recordSeparator,
  Writer,
} from '@signalbox/app-sdk/protocol';
import { type CloseReason, closeReasons } from '../reasons.ts';

/** The MessagePack form of a framed JSON invocation. Integers keep their value, other numbers become float64. */
export function jsonInvocationToMessagePack(json: Uint8Array): Uint8Array {
  const body = json.at(-1) === recordSeparator ? json.subarray(0, -1) : json;
  const { target, argumentsJson } = parsePayloadJson(body);
  return messagePackInvocation({ target, rawArguments: jsonToMessagePack(argumentsJson) });
}

/** One hub message in the form of each hub protocol that the gateway speaks, framed. */
export type HubFrames = ReadonlyMap<string, Uint8Array>;

/** A call whose answer is wanted, from the text of its arguments. */
export function invocationFrames({ target, argumentsJson }: JsonPayload, invocationId: string): HubFrames {
  const rawArguments = jsonToMessagePack(argumentsJson);
  return new Map([
    ['json', jsonInvocation({ target, rawArguments: argumentsJson, invocationId })],
    ['messagepack', messagePackInvocation({ target, rawArguments, invocationId })],
  ]);
}

/**
 * One item of a stream, from its JSON text, which stays as it is.
 * @throws MalformedError when the text is not one JSON value, or nests deeper than 63.
 */
export function streamItemFrames(invocationId: string, itemJson: string): HubFrames {
  const array = jsonToMessagePack(`[${itemJson}]`);
  if (array[0] !== arrayOfOne) throw new MalformedError('the item must be one JSON value');
  const type = hubMessageTypes.streamItem;
  const head = new Writer().writeArrayHeader(4).writeInt(type).writeMapHeader(0).writeString(invocationId);
  const json = `{"type":${type},"invocationId":${JSON.stringify(invocationId)},"item":${itemJson}}`;
  return new Map([
    ['json', Buffer.concat([Buffer.from(json), Uint8Array.of(recordSeparator)])],
    ['messagepack', head.writeRaw(array.subarray(1)).frame()],
  ]);
}

/** The head of a MessagePack array of one. */
const arrayOfOne = 0x91;

/** The end of a stream; with an error, or without. */
export function completionFrames(invocationId: string, error: string | undefined): HubFrames {
  const message = { kind: 'completion', invocationId, ...(error === undefined ? {} : { error }) } as const;
  return new Map([...hubProtocols.values()].map((protocol) => [protocol.name, protocol.write(message)]));
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
