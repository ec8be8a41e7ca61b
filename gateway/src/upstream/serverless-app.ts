import {
  acceptHandshake,
  type Claims,
  type HandshakeRequest,
  type HubProtocol,
  handshakeResponse,
  hubProtocol,
  type InvocationMessage,
  type Splitter,
  type StreamInvocationMessage,
  TooLargeError,
} from '@signalbox/app-sdk/protocol';
import { longNamed, pairsOf, renewedClaims } from '../auth/login-claims.ts';
import type { App, Client, LoginChange, LoginOutcome } from '../core/app.ts';
import type { Events } from '../observe/events.ts';
import { framed } from '../protocol/hub.ts';
import type { InvokeOutcome } from '../protocol/inquiry.ts';
import type { CloseReason } from '../reasons.ts';
import type { ClientWebhooks, Fate } from './client-webhooks.ts';
import type { Upstream } from './upstream.ts';

export interface ServerlessOptions {
  readonly events: Events;
  /** A client answered a call. */
  readonly completed: (connection: string, invocationId: string, outcome: InvokeOutcome) => void;
  /** Largest hub message from a client, its frame included. */
  readonly messageBytes: number;
  /** Who takes what clients invoke; default: nobody. */
  readonly upstream?: Upstream | undefined;
}

/** Why an invocation is answered with an error at once. */
const declined = {
  none: 'no upstream takes it.',
  invalid: 'its name has no form in a URL.',
  long: 'its name must be at most 1024 characters.',
  streams: 'a serverless hub takes no streams.',
} as const;

const upstreamSlow = 'The upstream of the hub is too slow to take more clients now.';

/** The target of an invocation travels in a header and in a URL. */
const longestTarget = 1024;

/**
 * A hub that the gateway runs itself: it ends the hub protocol, apps push by REST. What clients invoke, and that they come
 * and go, is posted upstream; where nobody takes an invocation, it gets a clear error.
 */
export class ServerlessApp implements App {
  readonly mode = 'serverless';
  readonly pings = true;
  readonly #options: ServerlessOptions;
  /** Clients in the middle of a message. */
  readonly #partial = new Map<Client, Splitter>();
  /** Of the clients whose hubs have an upstream. */
  readonly #webhooks = new Map<Client, ClientWebhooks>();
  /** Claims as in their tokens, of the clients whose login ends: those of nobody else can be renewed. */
  readonly #claims = new Map<Client, Claims>();
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
    const protocol = protocolOf(client);
    const { upstream } = this.#options;
    const webhooks = upstream?.serves(client.hub) ? upstream.open(client, protocol) : undefined;
    if (client.authExpires !== undefined) this.#claims.set(client, pairsOf(client.origin?.claims ?? []));
    client.origin = undefined;
    if (webhooks?.connected() === false) {
      client.refuse(handshakeResponse(upstreamSlow), 'app_slow');
      return;
    }
    // Before the client is accepted: what it sent behind its handshake request comes within that call.
    if (webhooks !== undefined) this.#webhooks.set(client, webhooks);
    client.accept({ bytes: handshakeResponse(), binary: protocol.binary });
  }

  received(client: Client, bytes: Uint8Array): void {
    try {
      this.#split(client, bytes);
    } catch (error) {
      client.close(error instanceof TooLargeError ? 'too_large' : 'bad_message');
    }
  }

  login(client: Client, { claims }: LoginChange): LoginOutcome | undefined {
    const before = this.#claims.get(client);
    if (before === undefined) return undefined;
    const renewed = renewedClaims(before, claims, client.userId);
    if (renewed === undefined) return 'other_user';
    if (renewed !== before) {
      this.#claims.set(client, renewed);
      this.#webhooks.get(client)?.renewed(renewed);
    }
    return { claims: longNamed(renewed) };
  }

  left(client: Client, reason: CloseReason): void {
    this.#partial.delete(client);
    this.#claims.delete(client);
    this.#webhooks.get(client)?.left(reason);
    this.#webhooks.delete(client);
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
        this.#invocation(client, protocol, message, record);
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

  #invocation(client: Client, protocol: HubProtocol, message: CallMessage, record: Uint8Array): void {
    const fate = this.#pass(client, message, record);
    if (fate === 'slow') client.close('app_slow');
    if (fate === 'taken' || fate === 'slow' || !message.invocationId) return;
    const why = fate === 'nobody' ? `hub '${client.hub}' has neither an app server nor an upstream.` : declined[fate];
    const target = message.target.slice(0, longestTarget);
    const error = `Failed to invoke '${target}': ${why}`;
    const bytes = protocol.write({ kind: 'completion', invocationId: message.invocationId, error });
    client.send({ bytes, binary: protocol.binary });
    this.#options.events.delivered(1, bytes.length);
  }

  /** Hands an invocation to the upstream of its client, or says why not. */
  #pass(client: Client, message: CallMessage, record: Uint8Array): Fate | 'nobody' | keyof typeof declined {
    const webhooks = this.#webhooks.get(client);
    if (webhooks === undefined) return 'nobody';
    if (message.kind === 'streamInvocation' || message.streamIds !== undefined) return 'streams';
    return message.target.length > longestTarget ? 'long' : webhooks.invocation(message, record);
  }
}

type CallMessage = InvocationMessage | StreamInvocationMessage;

function protocolOf(client: Client): HubProtocol {
  const protocol = hubProtocol(client.protocol);
  if (protocol === undefined) throw new TypeError(`"protocol" must be one the gateway speaks, got ${client.protocol}`);
  return protocol;
}
