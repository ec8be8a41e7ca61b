import { hubProtocols } from '@signalbox/app-sdk/protocol';
import type { HttpRequest } from '../http.ts';
import type { Payload } from '../protocol/command.ts';
import { completionFrames, type HubFrames, streamItemFrames } from '../protocol/hub.ts';
import { readBody, readFrames, textOf } from './rest-body.ts';
import type { RestCall } from './rest-names.ts';

/**
 * Reads one item of a stream: any JSON value, or a payload map whose messages are carried as they are. The last item and
 * the end of its stream are one payload, so that both arrive or neither.
 * @throws {GatewayError} as `readBody`; `name_invalid` for the stream.
 */
export async function readStreamItem(request: HttpRequest, mostBytes: number, call: RestCall): Promise<Payload> {
  const stream = call.stream();
  const last = call.flag('completed');
  const readers = {
    'application/json': (body: Uint8Array) => streamItemFrames(stream, textOf(body)),
    'application/octet-stream': readFrames,
  };
  const item = await readBody(request, readers, mostBytes);
  return { kind: 'ready', frames: last ? joined(item, completionFrames(stream, undefined)) : item };
}

/** The end of a stream. */
export function completion(call: RestCall): Payload {
  return { kind: 'ready', frames: completionFrames(call.stream(), call.reason() ?? call.error()) };
}

/** A protocol that the gateway does not speak has no end of ours: its item goes alone. */
function joined(item: HubFrames, end: HubFrames): HubFrames {
  const frames = new Map(item);
  for (const name of hubProtocols.keys()) {
    const [first, second] = [item.get(name), end.get(name)];
    if (first !== undefined && second !== undefined) frames.set(name, Buffer.concat([first, second]));
  }
  return frames;
}
