import { setTimeout } from 'node:timers/promises';
import {
  answerMs,
  type ClientRequests,
  type OpenRequest,
  type RequestAnswer,
  type TransportRequest,
} from '../core/client-requests.ts';
import { type ErrorCode, GatewayError } from '../errors.ts';
import type { HttpAnswer, HttpRequest } from '../http.ts';
import type { ClientOutcome, ClientRequestKind } from '../protocol/client-request.ts';
import type { Admission, Gate, Known } from './admit.ts';
import type { ConnectionClaims } from './claims.ts';
import type { Cors } from './cors.ts';
import type { Owner } from './owner.ts';
import { clientRefusal } from './refusal.ts';
import { eventHeaders } from './sse.ts';

export interface RequestDoorOptions {
  readonly gate: Pick<Gate, 'later' | 'admit'>;
  readonly cors: Cors;
  readonly owner: Owner;
  readonly requests: Pick<ClientRequests, 'known' | 'learn' | 'locate' | 'ask' | 'taken'>;
  readonly connectionClaims: Pick<ConnectionClaims, 'owner'>;
  readonly node: string;
  readonly pollMs: number;
  /** Most bytes of one POST. */
  readonly postBytes: number;
  /** False: Redis is known down, and clients are taken all the same. */
  readonly hearing: () => boolean;
}

const nothing = new Uint8Array();
/** Codes of a node that cannot reach the others now. */
const away: ReadonlySet<ErrorCode> = new Set(['backplane_down', 'backplane_full', 'no_answer']);
/** How long a poll is held then, in ms: well below the time that a client may go without one. */
const awayMs = 1000;
/** How long a node that stops waits for polls of its clients that are still to come, in ms: some never do. */
const lastPollsMs = 5000;
const plain = { 'Content-Type': 'text/plain' } as const;
/** Headers of every answer to a poll (client-transports, 6.1). */
const pollHeaders = {
  'Cache-Control': 'no-cache, no-store',
  Pragma: 'no-cache',
  Expires: 'Thu, 01 Jan 1970 00:00:00 GMT',
} as const;

/** What is refused, in the words of the official server (client-transports, 8.1). */
const refusals: Readonly<Partial<Record<ClientOutcome, () => GatewayError>>> = {
  gone: () => new GatewayError('connection_token_unknown', 'No Connection with that ID'),
  conflict: () => new GatewayError('connection_in_use', 'the connection has a transport already'),
  other_transport: () => new GatewayError('request_invalid', 'Cannot change transports mid-connection'),
  not_polling: () => new GatewayError('request_invalid', 'Cannot terminate this connection using the DELETE endpoint.'),
  too_large: () => new GatewayError('too_large', 'the body is too large'),
  lost: () => new GatewayError('no_answer', `the node of the connection did not answer within ${answerMs} ms`),
};

/** Streams, polls, POSTs and DELETEs of clients, whichever node their connection lives on. */
export class RequestDoor {
  readonly #options: RequestDoorOptions;
  #polls = 0;
  /** Ends of the polls that wait here for other nodes. */
  readonly #held = new Set<() => void>();
  #leaving = false;

  constructor(options: RequestDoorOptions) {
    this.#options = options;
  }

  /**
   * A GET: opens a connection with its first one, or is one more poll.
   * @throws {GatewayError} as {@link Gate.later} and {@link Gate.admit}, and the refusals of client-transports, 8.1.
   */
  async get(request: HttpRequest, kind: 'ServerSentEvents' | 'LongPolling'): Promise<HttpAnswer> {
    const known = await this.#options.gate.later(request);
    if (kind === 'LongPolling' && (!known.fresh || this.#options.requests.known(known.connectionId) !== undefined)) {
      return this.#laterPoll(request, known);
    }
    const node = await this.#nodeOf(known, 'get');
    const what = kind === 'LongPolling' ? 'poll' : 'events';
    if (node !== undefined) return this.#pass(request, known, what, node);
    const admission = await this.#options.gate.admit(request, kind);
    return kind === 'LongPolling' ? this.#startPolling(request, admission) : this.#startEvents(request, admission);
  }

  /**
   * Without Redis a poll may meet a node that cannot ask its owner. It is answered empty after a while and not refused, which
   * would end the client: the next poll may meet the owner.
   */
  async #laterPoll(request: HttpRequest, known: Known): Promise<HttpAnswer> {
    try {
      const node = await this.#nodeOf(known, 'post');
      if (node === undefined) throw refusal('gone');
      return await this.#pass(request, known, 'poll', node);
    } catch (error) {
      if (!(error instanceof GatewayError && away.has(error.code))) throw error;
      await setTimeout(awayMs);
      return this.#answer(request, { outcome: 'done', bytes: nothing }, 200);
    }
  }

  /**
   * This node stops, and has closed its clients: resolves when the polls that were still to come have fetched what was left.
   * Polls of connections of other nodes come back empty from now on, those that wait here at once: their clients ask again,
   * elsewhere.
   */
  async leave(): Promise<void> {
    this.#leaving = true;
    for (const end of this.#held) end();
    await Promise.race([this.#options.owner.left(), setTimeout(lastPollsMs, undefined, { ref: false })]);
  }

  /** A POST: bytes of the client. Answered when they were taken in. Throws as {@link get}. */
  async post(request: HttpRequest): Promise<HttpAnswer> {
    const known = await this.#options.gate.later(request);
    const bytes = await request.body(this.#options.postBytes);
    return this.#passKnown(request, known, 'post', bytes);
  }

  /** A DELETE: the client ends its long polling. Throws as {@link get}. */
  async delete(request: HttpRequest): Promise<HttpAnswer> {
    return this.#passKnown(request, await this.#options.gate.later(request), 'delete', nothing);
  }

  async #passKnown(request: HttpRequest, known: Known, what: 'post' | 'delete', bytes: Uint8Array) {
    const node = await this.#nodeOf(known, what);
    if (node === undefined) throw refusal('gone');
    return this.#pass(request, known, what, node, bytes);
  }

  /**
   * Where a connection lives; undefined: nowhere. While its token may open it, the claim says so; a GET without a claim is
   * the first one.
   */
  async #nodeOf({ hub, connectionId, fresh }: Known, method: 'get' | 'post' | 'delete'): Promise<string | undefined> {
    const { owner, requests, connectionClaims, node } = this.#options;
    if (owner.has(hub, connectionId)) return node;
    const known = requests.known(connectionId);
    if (known !== undefined) return known;
    const claimed = fresh ? await connectionClaims.owner(connectionId) : undefined;
    if (claimed !== undefined && claimed !== node) requests.learn(connectionId, claimed);
    if (claimed !== undefined || (fresh && method === 'get')) return claimed;
    return requests.locate(hub, connectionId);
  }

  async #pass(
    request: HttpRequest,
    { hub, connectionId: connection }: Known,
    what: ClientRequestKind,
    node: string,
    bytes: Uint8Array = nothing,
  ): Promise<HttpAnswer> {
    const asked = { hub, connection, what, bytes };
    const here = node === this.#options.node;
    if (what === 'poll') return here ? this.#pollHere(request, asked) : this.#pollThere(request, asked, node);
    const answer = here ? await this.#serve(asked) : await this.#options.requests.ask(node, asked).answered;
    return this.#answer(request, answer, what === 'delete' ? 202 : 200);
  }

  #serve(asked: TransportRequest): Promise<RequestAnswer> {
    return new Promise((answer) => this.#options.owner.serve(asked, { key: '', foreign: false, answer }));
  }

  async #pollHere(request: HttpRequest, asked: TransportRequest): Promise<HttpAnswer> {
    const { owner } = this.#options;
    const key = String(++this.#polls);
    const taken = (was: boolean): void => owner.takenHere(asked.connection, key, was);
    const answered = new Promise<RequestAnswer>((answer) => owner.serve(asked, { key, foreign: false, answer }));
    request.onGone(() => taken(false));
    return { ...this.#answer(request, await answered, 200), written: taken };
  }

  async #pollThere(request: HttpRequest, asked: TransportRequest, node: string): Promise<HttpAnswer> {
    const open = this.#options.requests.ask(node, asked, this.#options.pollMs + answerMs);
    let gone = false;
    request.onGone(() => {
      gone = true;
      this.#drop(node, asked, open);
    });
    const answer = await this.#unlessLeaving(open.answered);
    if (answer === 'left') {
      this.#drop(node, asked, open);
      return this.#answer(request, { outcome: 'done', bytes: nothing }, 200);
    }
    // Nobody answered, and nothing is lost: an empty poll makes the client ask again.
    if (answer.outcome === 'lost') return this.#answer(request, { outcome: 'done', bytes: nothing }, 200);
    if (answer.bytes.length === 0 || gone) return this.#answer(request, answer, 200);
    // The owner must know before the client can poll again, or it would give the same bytes twice.
    await this.#options.requests.taken(node, asked.connection, open.ask, true);
    const written = (was: boolean): void => {
      if (!was) this.#drop(node, asked, open);
    };
    return { ...this.#answer(request, answer, 200), written };
  }

  /** What another node answers; `left` when this one stops before. */
  #unlessLeaving(answered: Promise<RequestAnswer>): Promise<RequestAnswer | 'left'> {
    return new Promise((resolve, reject) => {
      const end = (): void => resolve('left');
      this.#held.add(end);
      answered.then(resolve, reject).finally(() => this.#held.delete(end));
      if (this.#leaving) end();
    });
  }

  #drop(node: string, { connection }: TransportRequest, { ask }: OpenRequest): void {
    this.#options.requests.taken(node, connection, ask, false).catch(() => {
      // counted by the bus; the owner gives again what it was not told of
    });
  }

  #answer(request: HttpRequest, { outcome, bytes }: RequestAnswer, done: number): HttpAnswer {
    if (outcome === 'is_socket') return this.#noPost(request);
    if (outcome !== 'done' && outcome !== 'ended') throw refusal(outcome);
    const type = bytes.length > 0 ? { 'Content-Type': 'application/octet-stream' } : plain;
    const headers = { ...this.#options.cors.headers(request), ...pollHeaders, ...type };
    return outcome === 'ended' ? { status: 204, headers } : { status: done, headers, body: bytes };
  }

  /** Other refusals with this status have no words. */
  #noPost(request: HttpRequest): HttpAnswer {
    const error = new GatewayError('method_not_allowed', 'POST requests are not allowed for WebSocket connections.');
    return { ...clientRefusal(error, request, this.#options.cors), body: error.message };
  }

  async #startPolling(request: HttpRequest, admission: Admission): Promise<HttpAnswer> {
    const { transport, found } = this.#options.owner.start(admission, 'LongPolling');
    await this.#isFound(found, () => transport.remove());
    const { hub, connectionId: connection } = admission;
    return this.#pollHere(request, { hub, connection, what: 'poll', bytes: nothing });
  }

  async #startEvents(request: HttpRequest, admission: Admission): Promise<HttpAnswer> {
    const { transport, found } = this.#options.owner.start(admission, 'ServerSentEvents');
    request.onGone(() => transport.gone());
    await this.#isFound(found, () => transport.gone());
    const headers = { ...this.#options.cors.headers(request), ...eventHeaders };
    return { status: 200, headers, stream: (stream) => transport.open(stream) };
  }

  /** No client is told that it is here before other nodes find it. Without Redis there is nobody to find it. */
  async #isFound(found: Promise<void>, give: () => void): Promise<void> {
    try {
      await found;
    } catch (error) {
      if (!this.#options.hearing()) return;
      give();
      throw error;
    }
  }
}

function refusal(outcome: ClientOutcome): GatewayError {
  return refusals[outcome]?.() ?? new GatewayError('internal', 'the gateway failed; its log has more');
}
