import { type Bus, controlLane } from '../backplane/bus.ts';
import { RecentMap } from '../backplane/recent-map.ts';
import { GatewayError } from '../errors.ts';
import type {
  ClientAnswer,
  ClientOutcome,
  ClientRequest,
  ClientRequestCommand,
  ClientRequestKind,
  ClientTaken,
  Locate,
} from '../protocol/client-request.ts';
import type { Asker, Verdict } from '../protocol/command.ts';
import { encodeCommand } from '../protocol/command-codec.ts';
import type { Asks } from './ask.ts';
import { cut, Pieces } from './pieces.ts';
import type { Topics } from './topics.ts';
import type { Watches } from './watches.ts';

/** No answer in this time: whatever was asked may have been done, so it is not asked again (architecture, section 6). */
export const answerMs = 10_000;
/** Connections of other nodes whose node is remembered. */
const knownPlaces = 20_000;

/** What stands beside the bytes of a piece: hub, ids, and the envelope. */
const besidePiece = 512;

const nothing = new Uint8Array();

/** One request of a client's transport, whole. */
export interface TransportRequest {
  readonly hub: string;
  readonly connection: string;
  readonly what: ClientRequestKind;
  /** Body of a POST. */
  readonly bytes: Uint8Array;
}

/** How a request ended, and what a poll brings. */
export interface RequestAnswer {
  readonly outcome: ClientOutcome;
  readonly bytes: Uint8Array;
}

/** A request that another node was asked to answer. */
export interface OpenRequest {
  readonly ask: Asker;
  readonly answered: Promise<RequestAnswer>;
}

/** Whoever keeps the connections of this node that live by requests: the clients' door. */
export interface RequestPeer {
  /** Is the connection here, by whatever transport? */
  has(hub: string, connection: string): boolean;
  /** A request came by another node. `answer` is called once. */
  came(request: TransportRequest, ask: Asker, answer: (answer: RequestAnswer) => void): void;
  /** What became of a poll that was answered, or still waits, at the node that it met. */
  taken(connection: string, ask: Asker, taken: boolean): void;
}

export interface ClientRequestsOptions {
  readonly bus: Pick<Bus, 'send' | 'hearing' | 'remote'>;
  readonly node: string;
  readonly asks: Asks;
  readonly topics: Topics;
  readonly watches: Watches;
  readonly now: () => number;
  readonly answer: (asker: Asker, verdict: Verdict, detail?: Uint8Array) => void;
  readonly settled: () => Promise<boolean>;
  /** Most bytes of one message between nodes. */
  readonly messageBytes: number;
  /** Most bytes of one POST. */
  readonly postBytes: number;
}

interface Pending {
  readonly node: string;
  readonly connection: string;
  readonly until: number;
  readonly pieces: Pieces;
  settle(answer: RequestAnswer): void;
  fail(error: unknown): void;
}

interface Coming {
  readonly pieces: Pieces;
  readonly until: number;
}

/**
 * Requests of clients that met another node than the one of their connection: this node's side of the asker, and of the
 * owner. All of one owner pass its node topic, so that what was said first is heard first.
 */
export class ClientRequests {
  readonly #options: ClientRequestsOptions;
  readonly #pending = new Map<number, Pending>();
  /** Requests to this node of which a piece has yet to come. */
  readonly #coming = new Map<string, Coming>();
  readonly #places = new RecentMap<string, string>(knownPlaces);
  #peer: RequestPeer | undefined;
  readonly #pieceBytes: number;
  #nextId = 1;

  constructor(options: ClientRequestsOptions) {
    this.#options = options;
    this.#pieceBytes = options.messageBytes - besidePiece;
  }

  /** Who takes what comes. */
  attach(peer: RequestPeer): void {
    this.#peer = peer;
  }

  /** From when it resolves on other nodes find the connection here. Rejects as {@link Watches.hold}. */
  hold(hub: string, connection: string): Promise<void> {
    const { watches } = this.#options;
    return watches.remote ? watches.hold(this.#personal(hub, connection)) : Promise.resolve();
  }

  /** The connection is over. */
  release(hub: string, connection: string): void {
    const { watches } = this.#options;
    if (watches.remote) watches.release(this.#personal(hub, connection));
  }

  #personal(hub: string, connection: string): string {
    const { topics } = this.#options;
    return topics.personal(hub, topics.tagOfConnection(connection) ?? 'unknown');
  }

  /** A node said that the connection is its own. */
  learn(connection: string, node: string): void {
    this.#places.set(connection, node);
  }

  /** The node of a connection, as far as this node knows without asking. */
  known(connection: string): string | undefined {
    return this.#places.get(connection);
  }

  /**
   * The node of a connection that is not here; undefined when there is none. Asks at most once for each connection.
   * @throws {GatewayError} `backplane_down`, `backplane_full`, `no_answer`.
   */
  async locate(hub: string, connection: string): Promise<string | undefined> {
    const { asks, bus, settled } = this.#options;
    const known = this.#places.get(connection);
    if (known !== undefined || !bus.remote) return known;
    if (!bus.hearing) throw new GatewayError('backplane_down', 'Redis is down, and the connection is not here');
    const { asker, outcome, details } = asks.open('first');
    const question = encodeCommand({ kind: 'locate', hub, ask: asker, connection });
    try {
      asks.expect(asker.id, await bus.send(hub, this.#personal(hub, connection), question, false));
    } catch (error) {
      asks.drop(asker.id);
      throw error;
    }
    const verdict = await outcome;
    const node = details.at(-1);
    if (verdict === 'yes' && node !== undefined) this.learn(connection, Buffer.from(node).toString());
    else if (verdict === 'timeout' || !(await settled())) throw noAnswer();
    return this.#places.get(connection);
  }

  /**
   * Asks the owner, once. The answer rejects with a GatewayError when the request did not leave, and is `lost` when it
   * left and was not answered within `deadlineMs`.
   */
  ask(node: string, request: TransportRequest, deadlineMs = answerMs): OpenRequest {
    const id = this.#nextId++;
    const answered = new Promise<RequestAnswer>((settle, fail) => {
      const until = this.#options.now() + deadlineMs;
      const pieces = new Pieces(Number.POSITIVE_INFINITY);
      this.#pending.set(id, { node, connection: request.connection, until, pieces, settle, fail });
    });
    const ask = { node: this.#options.node, id };
    void this.#send(node, request, ask);
    return { ask, answered };
  }

  async #send(node: string, { bytes, ...request }: TransportRequest, ask: Asker): Promise<void> {
    try {
      const pieces = [...cut(bytes, this.#pieceBytes)];
      const sent = pieces.map((piece) => this.#tell(node, { kind: 'clientRequest', ask, ...request, ...piece }));
      if ((await Promise.all(sent)).includes(0)) this.#settle(ask.id, { outcome: 'gone', bytes: nothing });
    } catch (error) {
      this.#pending.get(ask.id)?.fail(error);
      this.#pending.delete(ask.id);
    }
  }

  /** What becomes of a poll's bytes here. Resolves when the owner will hear of it before any later poll. */
  async taken(node: string, connection: string, ask: Asker, taken: boolean): Promise<void> {
    await this.#tell(node, { kind: 'clientTaken', connection, ask, taken });
  }

  /**
   * Resolves when all that other nodes told this one before was heard. False: Redis did not say so.
   */
  async fence(): Promise<boolean> {
    const { asks, bus, node, topics } = this.#options;
    const { asker, outcome } = asks.open('first');
    const question = encodeCommand({ kind: 'locate', hub: '', ask: asker, connection: '' });
    try {
      asks.expect(asker.id, await bus.send(controlLane, topics.node(node), question, true));
      return (await outcome) !== 'timeout';
    } catch {
      asks.drop(asker.id); // counted by the bus
      return false;
    }
  }

  #tell(node: string, command: ClientRequest | ClientAnswer | ClientTaken): Promise<number> {
    const { bus, topics } = this.#options;
    return bus.send(controlLane, topics.node(node), encodeCommand(command), false);
  }

  #settle(id: number, answer: RequestAnswer): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    if (answer.outcome === 'gone') this.#places.delete(pending.connection);
    pending.settle(answer);
  }

  /** Something came from another node. */
  take(command: ClientRequestCommand): void {
    switch (command.kind) {
      case 'locate':
        this.#answerLocate(command);
        return;
      case 'clientRequest':
        this.#collect(command);
        return;
      case 'clientAnswer':
        this.#answered(command);
        return;
      case 'clientTaken':
        this.#peer?.taken(command.connection, command.ask, command.taken);
    }
  }

  #answerLocate({ hub, ask, connection }: Locate): void {
    const { answer, node } = this.#options;
    if (this.#peer?.has(hub, connection)) answer(ask, 'yes', Buffer.from(node));
    else answer(ask, 'no');
  }

  #collect({ ask, hub, connection, what, ...piece }: ClientRequest): void {
    const key = `${ask.node} ${ask.id}`;
    const { now, postBytes } = this.#options;
    const coming = this.#coming.get(key) ?? { pieces: new Pieces(postBytes), until: now() + answerMs };
    const bytes = coming.pieces.take(piece);
    if (bytes === 'more') {
      this.#coming.set(key, coming);
      return;
    }
    this.#coming.delete(key);
    if (typeof bytes === 'string') this.#answer(ask, { outcome: bytes, bytes: nothing });
    else this.#peer?.came({ hub, connection, what, bytes }, ask, (answer) => this.#answer(ask, answer));
  }

  #answer(ask: Asker, { outcome, bytes }: RequestAnswer): void {
    for (const piece of cut(bytes, this.#pieceBytes)) {
      this.#tell(ask.node, { kind: 'clientAnswer', id: ask.id, outcome, ...piece }).catch(() => {
        // counted by the bus; the asker's deadline ends the request, and what a poll should bring is kept
      });
    }
  }

  #answered({ id, outcome, ...piece }: ClientAnswer): void {
    const bytes = this.#pending.get(id)?.pieces.take(piece);
    if (bytes === undefined || bytes === 'more') return;
    this.#settle(id, typeof bytes === 'string' ? { outcome: bytes, bytes: nothing } : { outcome, bytes });
  }

  /** A node is gone, and its connections with it. */
  nodeLost(node: string): void {
    for (const [id, pending] of this.#pending) {
      if (pending.node === node) this.#settle(id, { outcome: 'gone', bytes: nothing });
    }
  }

  /** Ends what has waited too long; called about once a second. */
  sweep(): void {
    const now = this.#options.now();
    for (const [id, { until }] of this.#pending) {
      if (until <= now) this.#settle(id, { outcome: 'lost', bytes: nothing });
    }
    for (const [key, { until }] of this.#coming) if (until <= now) this.#coming.delete(key);
  }
}

function noAnswer(): GatewayError {
  return new GatewayError('no_answer', 'the node of the connection did not answer');
}
