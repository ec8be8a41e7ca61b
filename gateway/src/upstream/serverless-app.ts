import {
  acceptHandshake,
  type HandshakeRequest,
  type HubProtocol,
  handshakeResponse,
  hubProtocol,
  type Splitter,
  TooLargeError,
} from '@signalbox/app-sdk/protocol';
import type { App, Client } from '../core/app.ts';
import type { Events } from '../observe/events.ts';
import { framed } from '../protocol/hub.ts';
import type { InvokeOutcome } from '../protocol/inquiry.ts';

export interface ServerlessOptions {
  readonly events: Events;
  /** A client answered a call. */
  readonly completed: (connection: string, invocationId: string, outcome: InvokeOutcome) => void;
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
        this.#message(client, protocol, record);
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

  #message(client: Client, protocol: HubProtocol, record: Uint8Array): void {
    const message = protocol.parse(record);
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
      case 'completion':
        this.#completed(client, protocol, message.invocationId, record);
        return;
      default: // items and cancels: of calls that were declined, or never made
    }
  }

  /** The record is a view of what came: it is copied into its frame. */
  #completed(client: Client, protocol: HubProtocol, invocationId: string, record: Uint8Array): void {
    const outcome = { kind: 'result', protocol: protocol.name, frame: framed(protocol, record) } as const;
    this.#options.completed(client.id, invocationId, outcome);
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
