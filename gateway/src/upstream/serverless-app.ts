import {
  acceptHandshake,
  type HandshakeRequest,
  type HubMessage,
  type HubProtocol,
  handshakeResponse,
  hubProtocol,
  type Splitter,
  TooLargeError,
} from '@signalbox/app-sdk/protocol';
import type { App } from '../core/app.ts';
import type { Connection } from '../core/connection.ts';
import type { Events } from '../observe/events.ts';

export interface ServerlessOptions {
  readonly events: Events;
  /** Largest hub message from a client, its frame included. */
  readonly messageBytes: number;
}

/**
 * A hub that the gateway runs itself: it ends the hub protocol, apps push by REST. Nobody takes what clients invoke, so
 * an invocation gets a clear error.
 */
export class ServerlessApp implements App {
  readonly pings = true;
  readonly #options: ServerlessOptions;
  /** Clients in the middle of a message. */
  readonly #partial = new Map<Connection, Splitter>();
  /** One per hub protocol, for the many clients whose bytes end with a message: they need nothing of their own. */
  readonly #shared = new Map<HubProtocol, Splitter>();

  constructor(options: ServerlessOptions) {
    this.#options = options;
  }

  refusal(request: HandshakeRequest): string | undefined {
    const judged = acceptHandshake(request);
    return judged.kind === 'refusal' ? judged.error : undefined;
  }

  opened(connection: Connection): void {
    connection.accept({ bytes: handshakeResponse(), binary: protocolOf(connection).binary });
  }

  received(connection: Connection, bytes: Uint8Array): void {
    try {
      this.#split(connection, bytes);
    } catch (error) {
      connection.close(error instanceof TooLargeError ? 'too_large' : 'bad_message');
    }
  }

  left(connection: Connection): void {
    this.#partial.delete(connection);
  }

  #split(connection: Connection, bytes: Uint8Array): void {
    const protocol = protocolOf(connection);
    const splitter = this.#partial.get(connection) ?? this.#sharedFor(protocol);
    let messages = 0;
    try {
      for (const record of splitter.push(bytes)) {
        messages++;
        this.#message(connection, protocol, protocol.parse(record));
        if (connection.state !== 'open') break;
      }
    } finally {
      this.#options.events.received(messages, bytes.length);
      this.#keep(connection, protocol, splitter);
    }
  }

  #sharedFor(protocol: HubProtocol): Splitter {
    let splitter = this.#shared.get(protocol);
    if (splitter === undefined) {
      splitter = protocol.split({ limit: this.#options.messageBytes });
      this.#shared.set(protocol, splitter);
    }
    return splitter;
  }

  /** A splitter that holds half a message belongs to its client until the message is whole. */
  #keep(connection: Connection, protocol: HubProtocol, splitter: Splitter): void {
    const half = splitter.pending > 0 && connection.state === 'open';
    if (half) this.#partial.set(connection, splitter);
    else this.#partial.delete(connection);
    if (this.#shared.get(protocol) === splitter && splitter.pending > 0) this.#shared.delete(protocol);
  }

  #message(connection: Connection, protocol: HubProtocol, message: HubMessage | undefined): void {
    switch (message?.kind) {
      case 'ping':
        connection.pings = true;
        return;
      case 'close':
        connection.gone('client_left');
        return;
      case 'invocation':
      case 'streamInvocation':
        if (message.invocationId) this.#decline(connection, protocol, message.invocationId, message.target);
        return;
      default: // results, items, cancels: of calls that were declined, or never made
    }
  }

  #decline(connection: Connection, protocol: HubProtocol, invocationId: string, target: string): void {
    const error = `Failed to invoke '${target}': hub '${connection.hub}' has neither an app server nor an upstream.`;
    const bytes = protocol.write({ kind: 'completion', invocationId, error });
    connection.send({ bytes, binary: protocol.binary });
  }
}

function protocolOf(connection: Connection): HubProtocol {
  const protocol = hubProtocol(connection.protocol);
  if (protocol === undefined)
    throw new TypeError(`"protocol" must be one the gateway speaks, got ${connection.protocol}`);
  return protocol;
}
