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
import type { App, Client } from '../core/app.ts';
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
  readonly #partial = new Map<Client, Splitter>();
  /** One per hub protocol, for the many clients whose bytes end with a message: they need nothing of their own. */
  readonly #shared = new Map<HubProtocol, Splitter>();

  constructor(options: ServerlessOptions) {
    this.#options = options;
  }

  refusal(request: HandshakeRequest): string | undefined {
    const judged = acceptHandshake(request);
    return judged.kind === 'refusal' ? judged.error : undefined;
  }

  opened(client: Client): void {
    client.origin = undefined;
    client.accept({ bytes: handshakeResponse(), binary: protocolOf(client).binary });
  }

  received(client: Client, bytes: Uint8Array): void {
    try {
      this.#split(client, bytes);
    } catch (error) {
      client.close(error instanceof TooLargeError ? 'too_large' : 'bad_message');
    }
  }

  left(client: Client): void {
    this.#partial.delete(client);
  }

  #split(client: Client, bytes: Uint8Array): void {
    const protocol = protocolOf(client);
    const splitter = this.#partial.get(client) ?? this.#sharedFor(protocol);
    let messages = 0;
    try {
      for (const record of splitter.push(bytes)) {
        messages++;
        this.#message(client, protocol, protocol.parse(record));
        if (client.state !== 'open') break;
      }
    } finally {
      this.#options.events.received(messages, bytes.length);
      this.#keep(client, protocol, splitter);
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
  #keep(client: Client, protocol: HubProtocol, splitter: Splitter): void {
    const half = splitter.pending > 0 && client.state === 'open';
    if (half) this.#partial.set(client, splitter);
    else this.#partial.delete(client);
    if (this.#shared.get(protocol) === splitter && splitter.pending > 0) this.#shared.delete(protocol);
  }

  #message(client: Client, protocol: HubProtocol, message: HubMessage | undefined): void {
    switch (message?.kind) {
      case 'ping':
        client.pings = true;
        return;
      case 'close':
        client.gone('client_left');
        return;
      case 'invocation':
      case 'streamInvocation':
        if (message.invocationId) this.#decline(client, protocol, message.invocationId, message.target);
        return;
      default: // results, items, cancels: of calls that were declined, or never made
    }
  }

  #decline(client: Client, protocol: HubProtocol, invocationId: string, target: string): void {
    const error = `Failed to invoke '${target}': hub '${client.hub}' has neither an app server nor an upstream.`;
    const bytes = protocol.write({ kind: 'completion', invocationId, error });
    client.send({ bytes, binary: protocol.binary });
  }
}

function protocolOf(client: Client): HubProtocol {
  const protocol = hubProtocol(client.protocol);
  if (protocol === undefined) throw new TypeError(`"protocol" must be one the gateway speaks, got ${client.protocol}`);
  return protocol;
}
