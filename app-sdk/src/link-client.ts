import type { ClientWire, OutputKind } from './hub/gateway.ts';
import { writeServiceMessage } from './protocol/service.ts';
import { dataTypes, flowControlOperations, flowControlTypes } from './protocol/service-messages.ts';

/** What a client needs of its link. */
export interface ClientLink {
  /** As `LinkQueue.put`. */
  put(frame: Uint8Array): Promise<void>;
  /** As `LinkQueue.push`. */
  push(frame: Uint8Array): void;
}

/** Where a client comes from, and what becomes of it. */
export interface LinkClientSite {
  readonly link: ClientLink;
  readonly connectionId: string;
  /** Name of its hub protocol. */
  readonly protocol: string;
  /** The node of the service that has it; empty when it did not say. */
  readonly instanceId: string;
  /** It came over from another server: its handshake was answered there. */
  readonly migrated: boolean;
  /** The hub ended it. */
  closed(): void;
  /** What it was to get does not fit into the link's queue. */
  overflow(error: unknown): void;
}

const types: Readonly<Record<OutputKind, number>> = {
  handshake: dataTypes.handshake,
  message: dataTypes.invocation,
  ping: dataTypes.other,
  close: dataTypes.close,
};

/** Most bytes that wait for a client whose output the service has paused. */
const heldBytes = 1 << 20;

/** One client of a link, as its hub writes to it. */
export class LinkClient implements ClientWire {
  readonly site: LinkClientSite;
  #held: Uint8Array[] | undefined;
  #heldBytes = 0;

  constructor(site: LinkClientSite) {
    this.site = site;
  }

  write(bytes: Uint8Array, kind: OutputKind): Promise<void> {
    const { connectionId, migrated, link } = this.site;
    if (kind === 'handshake' && migrated) return Promise.resolve();
    const extensions = { dataType: types[kind] };
    const frame = writeServiceMessage({ kind: 'ConnectionData', connectionId, payload: bytes, extensions });
    if (this.#held !== undefined) return this.#hold(frame, this.#held);
    const written = link.put(frame);
    // A ping may be left out; any other hole would leave the client waiting for what never comes.
    if (kind !== 'ping') written.catch((error: unknown) => this.site.overflow(error));
    return written;
  }

  close(error = ''): void {
    const { connectionId, link } = this.site;
    this.resume();
    link.push(writeServiceMessage({ kind: 'CloseConnection', connectionId, errorMessage: error, headers: [] }));
    this.site.closed();
  }

  /** The service moves the client: nothing more until `resume`. */
  pause(): void {
    this.#held ??= [];
    this.site.link.push(
      writeServiceMessage({
        kind: 'ConnectionFlowControl',
        connectionId: this.site.connectionId,
        connectionType: flowControlTypes.client,
        operation: flowControlOperations.pauseAck,
      }),
    );
  }

  /** What waited goes first. */
  resume(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#heldBytes = 0;
    for (const frame of held) this.site.link.push(frame);
  }

  #hold(frame: Uint8Array, held: Uint8Array[]): Promise<void> {
    held.push(frame);
    this.#heldBytes += frame.length;
    if (this.#heldBytes > heldBytes)
      this.site.overflow(new Error(`more than ${heldBytes} bytes waited for the client`));
    return Promise.resolve();
  }
}
