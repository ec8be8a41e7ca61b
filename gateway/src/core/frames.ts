import type { Payload } from '../protocol/command.ts';
import { jsonInvocationToMessagePack } from '../protocol/hub.ts';
import type { Frame } from './transport.ts';

/** The only hub protocol whose frames are text (hub-protocol section 2). */
const textProtocol = 'json';

/** The frames of one message: made at most once per hub protocol, shared by all receivers. */
export class Frames {
  readonly #payload: Payload;
  readonly #made = new Map<string, Frame | undefined>();

  constructor(payload: Payload) {
    this.#payload = payload;
  }

  /** The frame for clients of this protocol (lower case); undefined when the app gave none and none can be made. */
  of(protocol: string): Frame | undefined {
    const made = this.#made.get(protocol);
    if (made !== undefined || this.#made.has(protocol)) return made;
    const bytes = this.#bytes(protocol);
    const frame = bytes && { bytes, binary: protocol !== textProtocol };
    this.#made.set(protocol, frame);
    return frame;
  }

  #bytes(protocol: string): Uint8Array | undefined {
    if (this.#payload.kind === 'ready') return this.#payload.frames.get(protocol);
    if (protocol === textProtocol) return this.#payload.json;
    return protocol === 'messagepack' ? converted(this.#payload.json) : undefined;
  }
}

function converted(json: Uint8Array): Uint8Array | undefined {
  try {
    return jsonInvocationToMessagePack(json);
  } catch {
    return undefined; // the doors check it; what another node sent all the same is counted as a missing form
  }
}
