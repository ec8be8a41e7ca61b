import {
  type HubProtocol,
  type JsonPayload,
  jsonHubProtocol,
  jsonInvocation,
  MalformedError,
  messagePackHubProtocol,
  messagePackInvocation,
  parsePayloadJson,
  Reader,
} from '@signalbox/app-sdk/protocol';
import type { HttpRequest } from '../http.ts';
import { type HubFrames, invocationFrames } from '../protocol/hub.ts';
import { readBody, readFrames } from './rest-body.ts';

/** A call of a client, ready but for the id that wants an answer. */
export type CallFrames = (invocationId: string) => HubFrames;

/** How a framed invocation becomes one with another id, by hub protocol. Its arguments stay as they are. */
const withId: Readonly<Record<string, (frame: Uint8Array) => (invocationId: string) => Uint8Array>> = {
  json: (frame) => {
    const { target, argumentsJson } = readJson(frame);
    return (invocationId) => jsonInvocation({ target, rawArguments: argumentsJson, invocationId });
  },
  messagepack: (frame) => {
    const { target, rawArguments } = readMessagePack(frame);
    return (invocationId) => messagePackInvocation({ target, rawArguments, invocationId });
  },
};

/**
 * Reads the body of a call of one client: a message as JSON, or a payload map of framed invocations. The answer is told
 * from others by its id, so each gets one of the gateway's; what a map holds for other hub protocols cannot be given one
 * and is left out.
 * @throws {GatewayError} as {@link readBody}.
 */
export function readCall(request: HttpRequest, mostBytes: number): Promise<CallFrames> {
  const readers = {
    'application/json': (body: Uint8Array): CallFrames => {
      const message = parsePayloadJson(body);
      return (invocationId) => invocationFrames(message, invocationId);
    },
    'application/octet-stream': (body: Uint8Array): CallFrames => framesOf(readFrames(body)),
  };
  return readBody(request, readers, mostBytes);
}

function framesOf(given: HubFrames): CallFrames {
  const makers = [...given].flatMap(([protocol, frame]) => {
    const maker = Object.hasOwn(withId, protocol) ? withId[protocol]?.(frame) : undefined;
    return maker === undefined ? [] : [[protocol, maker] as const];
  });
  if (makers.length === 0) {
    throw new MalformedError(`the payload map must hold an invocation of ${Object.keys(withId).join(' or ')}`);
  }
  return (invocationId) => new Map(makers.map(([protocol, make]) => [protocol, make(invocationId)]));
}

function readJson(frame: Uint8Array): JsonPayload {
  return parsePayloadJson(only(jsonHubProtocol, frame));
}

function readMessagePack(frame: Uint8Array): { readonly target: string; readonly rawArguments: Uint8Array } {
  const reader = new Reader(only(messagePackHubProtocol, frame));
  reader.readArrayHeader();
  reader.readInt(); // an invocation, as was seen
  reader.skip(); // headers
  reader.readStringOrNil(); // the id that ours takes the place of
  return { target: reader.readString(), rawArguments: reader.readRaw() };
}

/** The one message of a frame, when it is an invocation. The limit is one above, so that half a message is no error of its own. */
function only(protocol: HubProtocol, frame: Uint8Array): Uint8Array {
  const [record, ...more] = protocol.split({ limit: frame.length + 1 }).push(frame);
  if (record === undefined || more.length > 0 || protocol.parse(record)?.kind !== 'invocation') {
    throw new MalformedError(`the message for ${protocol.name} must be one framed invocation`);
  }
  return record;
}
