import type { ClientRequests, RequestAnswer, RequestPeer, TransportRequest } from '../core/client-requests.ts';
import type { Clients } from '../core/clients.ts';
import type { ClientOutcome, ClientRequestKind } from '../protocol/client-request.ts';
import type { Asker } from '../protocol/command.ts';
import type { Admission } from './admit.ts';
import { LongPollingTransport } from './long-polling.ts';
import { SseTransport } from './sse.ts';

export interface OwnerOptions {
  readonly clients: Pick<Clients, 'arrive' | 'received'>;
  readonly requests: Pick<ClientRequests, 'hold' | 'release' | 'fence'>;
  /** Is there a client of this id, by whatever transport? */
  readonly registered: (hub: string, connection: string) => boolean;
  readonly config: { readonly pollMs: number; readonly pollGapMs: number; readonly clientQueueBytes: number };
}

/** Where a request waits for its answer. */
export interface Waiting {
  readonly key: string;
  readonly foreign: boolean;
  answer(answer: RequestAnswer): void;
}

const nothing = new Uint8Array();

/** What a client with a WebSocket may not ask for by a request. */
const ofSocket: Readonly<Record<ClientRequestKind, ClientOutcome>> = {
  poll: 'other_transport',
  events: 'other_transport',
  post: 'is_socket',
  delete: 'not_polling',
};

/** The connections of this node that live by requests, whatever node these met. */
export class Owner implements RequestPeer {
  readonly #options: OwnerOptions;
  readonly #transports = new Map<string, SseTransport | LongPollingTransport>();
  #toldLeft: (() => void) | undefined;

  constructor(options: OwnerOptions) {
    this.#options = options;
  }

  has(hub: string, connection: string): boolean {
    return this.#transports.has(connection) || this.#options.registered(hub, connection);
  }

  /** A client that was let in arrives. Resolves when other nodes find it here. Rejects as {@link ClientRequests.hold}. */
  start(admission: Admission, kind: 'ServerSentEvents'): { transport: SseTransport; found: Promise<void> };
  start(admission: Admission, kind: 'LongPolling'): { transport: LongPollingTransport; found: Promise<void> };
  start(admission: Admission, kind: 'ServerSentEvents' | 'LongPolling') {
    const { clients, requests, config } = this.#options;
    const { hub, connectionId } = admission;
    const over = (): void => {
      this.#transports.delete(connectionId);
      if (this.#transports.size === 0) this.#toldLeft?.();
      requests.release(hub, connectionId);
    };
    const queueBytes = config.clientQueueBytes;
    const gapMs = admission.pollIdleMs ?? config.pollGapMs;
    const fence = (): Promise<boolean> => requests.fence();
    const transport =
      kind === 'ServerSentEvents'
        ? new SseTransport({ queueBytes, over })
        : new LongPollingTransport({ pollMs: config.pollMs, gapMs, queueBytes, fence, over });
    this.#transports.set(connectionId, transport);
    const found = requests.hold(hub, connectionId);
    transport.attach(clients.arrive(admission, transport));
    return { transport, found };
  }

  /** Resolves when none of them is here any more: who polls has got what was left, and said so. */
  left(): Promise<void> {
    if (this.#transports.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#toldLeft = resolve;
    });
  }

  came(request: TransportRequest, ask: Asker, answer: (answer: RequestAnswer) => void): void {
    this.serve(request, { key: keyOf(ask), foreign: true, answer });
  }

  taken(connection: string, ask: Asker, taken: boolean): void {
    this.#taken(connection, keyOf(ask), taken);
  }

  #taken(connection: string, key: string, taken: boolean): void {
    const transport = this.#transports.get(connection);
    if (transport?.kind === 'LongPolling') transport.taken(key, taken);
  }

  /** As {@link taken}, of a poll that waits at this node. */
  takenHere(connection: string, key: string, taken: boolean): void {
    this.#taken(connection, key, taken);
  }

  /** Answers a request for a connection of this node. A poll may have to wait. */
  serve(request: TransportRequest, waiting: Waiting): void {
    const transport = this.#transports.get(request.connection);
    if (request.what === 'poll' && transport?.kind === 'LongPolling') {
      const { key, foreign } = waiting;
      transport.poll({ key, foreign, answer: (outcome, bytes) => waiting.answer({ outcome, bytes }) });
    } else waiting.answer({ outcome: this.#outcome(request, transport), bytes: nothing });
  }

  #outcome(request: TransportRequest, transport: SseTransport | LongPollingTransport | undefined): ClientOutcome {
    const { hub, connection, what, bytes } = request;
    if (transport === undefined) return this.#options.registered(hub, connection) ? ofSocket[what] : 'gone';
    switch (what) {
      case 'poll':
        return 'other_transport';
      case 'events':
        return transport.kind === 'ServerSentEvents' ? 'conflict' : 'other_transport';
      case 'delete':
        if (transport.kind !== 'LongPolling') return 'not_polling';
        transport.remove();
        return 'done';
      case 'post':
        if (transport.connection === undefined) return 'gone';
        this.#options.clients.received(transport.connection, bytes);
        return 'done';
    }
  }
}

function keyOf({ node, id }: Asker): string {
  return `${node} ${id}`;
}
