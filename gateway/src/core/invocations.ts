import { type Bus, controlLane } from '../backplane/bus.ts';
import { GatewayError } from '../errors.ts';
import type { ResultOutcome } from '../observe/events.ts';
import type { Asker, Verdict } from '../protocol/command.ts';
import { encodeCommand } from '../protocol/command-codec.ts';
import type { Completed, Invoke, InvokeOutcome } from '../protocol/inquiry.ts';
import type { Asks } from './ask.ts';
import type { Connection } from './connection.ts';
import type { Dispatch } from './dispatch.ts';
import type { Registry } from './registry.ts';
import type { Topics } from './topics.ts';

/** Calls of one client that may be open at once: each is kept until the client answers or ends. */
const mostOpen = 1000;

export interface InvocationsOptions {
  readonly bus: Pick<Bus, 'send' | 'hearing' | 'remote'>;
  readonly node: string;
  readonly asks: Asks;
  readonly topics: Topics;
  readonly registry: Registry;
  readonly dispatch: Dispatch;
  readonly now: () => number;
  readonly answer: (asker: Asker, verdict: Verdict, detail?: Uint8Array) => void;
  readonly settled: () => Promise<boolean>;
  /** A call of this node is over, after so many ms. */
  readonly ended: (outcome: ResultOutcome, ms: number) => void;
}

/** A call of one client. */
export interface InvokeRequest extends Omit<Invoke, 'kind' | 'ask'> {
  /** How long the result is waited for, in ms. */
  readonly deadlineMs: number;
}

/** A call that is on its way to the client. */
export interface OpenInvoke {
  /** The client's node. */
  readonly node: string;
  readonly outcome: Promise<InvokeOutcome>;
}

interface Call {
  readonly connection: string;
  readonly since: number;
  readonly until: number;
  readonly settle: (outcome: InvokeOutcome) => void;
  /** The client's node, once it said so. */
  node: string | undefined;
}

/** Calls of clients that give a result: this node's side of the asker, and of the client. */
export class Invocations {
  readonly #options: InvocationsOptions;
  /** Calls that this node asked for, by the asker's id. */
  readonly #calls = new Map<number, Call>();
  /** Calls that clients here have yet to answer: connection → invocation id → asker. */
  readonly #open = new Map<string, Map<string, Asker>>();

  constructor(options: InvocationsOptions) {
    this.#options = options;
  }

  /**
   * Calls a client. Up to the publish nothing is awaited, so that it keeps its order with sends of a link.
   * @throws {GatewayError} `connection_unknown`, `request_invalid` without a payload for its hub protocol, `no_answer`,
   * `backplane_down`, `backplane_full`, `too_large`.
   */
  async invoke({ deadlineMs, ...request }: InvokeRequest): Promise<OpenInvoke> {
    const { asks, node } = this.#options;
    const { asker, outcome, details } = asks.open('first');
    const completed = this.#expect(asker.id, request.connection, deadlineMs);
    try {
      await this.#ask({ kind: 'invoke', ask: asker, ...request });
      await this.#check(await outcome, request.connection);
    } catch (error) {
      asks.drop(asker.id);
      this.#over(asker.id, 'error');
      throw error;
    }
    const there = details[0] === undefined ? node : Buffer.from(details[0]).toString();
    const call = this.#calls.get(asker.id);
    if (call !== undefined) call.node = there;
    return { node: there, outcome: completed };
  }

  #expect(id: number, connection: string, deadlineMs: number): Promise<InvokeOutcome> {
    const since = this.#options.now();
    const until = since + deadlineMs;
    return new Promise((settle) => {
      this.#calls.set(id, { connection, since, until, settle, node: undefined });
    });
  }

  async #ask(invoke: Invoke): Promise<void> {
    const { asks, bus, dispatch, registry, topics } = this.#options;
    const { hub, connection, ask } = invoke;
    if (!bus.remote || registry.hub(hub)?.connections.has(connection)) {
      asks.expect(ask.id, 1);
      dispatch.inOrder(hub, () => this.take(invoke));
      return;
    }
    if (!bus.hearing) throw new GatewayError('backplane_down', 'Redis is down, and the connection is not here');
    const tag = topics.tagOfConnection(connection) ?? 'unknown';
    asks.expect(ask.id, await bus.send(hub, topics.personal(hub, tag), encodeCommand(invoke), true));
  }

  async #check(outcome: Verdict | 'timeout', connection: string): Promise<void> {
    if (outcome === 'yes') return;
    if (outcome === 'failed')
      throw new GatewayError('request_invalid', "there is no payload for the client's hub protocol");
    if (outcome === 'limit')
      throw new GatewayError('limit_reached', `at most ${mostOpen} calls of one client may be open`);
    if (outcome === 'no' && (!this.#options.bus.remote || (await this.#options.settled()))) {
      throw new GatewayError('connection_unknown', `Connection '${connection}' does not exist.`);
    }
    throw new GatewayError('no_answer', 'a node that may know did not answer in time');
  }

  /** Call a client here. In the order of its hub. */
  take(invoke: Invoke): void {
    const { answer, node, registry } = this.#options;
    const connection = registry.hub(invoke.hub)?.connections.get(invoke.connection);
    const verdict = connection === undefined ? 'no' : this.#call(connection, invoke);
    answer(invoke.ask, verdict, verdict === 'yes' ? Buffer.from(node) : undefined);
  }

  #call(connection: Connection, { invocationId, server, frames, ask }: Invoke): Verdict {
    const bytes = frames.get(connection.protocol);
    if (bytes === undefined) return 'failed';
    const open = this.#open.get(connection.id) ?? new Map<string, Asker>();
    if (open.size >= mostOpen) return 'limit';
    this.#open.set(connection.id, open.set(invocationId, ask));
    connection.app?.expectResult?.(connection, invocationId, server);
    if (connection.sendDirect({ bytes, binary: connection.protocol !== 'json' })) return 'yes';
    this.#take(connection.id, invocationId);
    return 'limit';
  }

  #take(connection: string, invocationId: string): Asker | undefined {
    const open = this.#open.get(connection);
    const asker = open?.get(invocationId);
    if (open?.delete(invocationId) && open.size === 0) this.#open.delete(connection);
    return asker;
  }

  /** A client here answered, or its app server has the answer. @returns false when nobody asked. */
  completed(connection: string, invocationId: string, outcome: InvokeOutcome): boolean {
    const asker = this.#take(connection, invocationId);
    if (asker !== undefined) void this.#tell(asker, outcome);
    return asker !== undefined;
  }

  /** As {@link completed}, for a client that may be connected anywhere. */
  completedAnywhere(hub: string, connection: string, invocationId: string, outcome: InvokeOutcome): void {
    const { bus, registry, topics } = this.#options;
    if (this.completed(connection, invocationId, outcome)) return;
    if (!bus.remote || registry.hub(hub)?.connections.has(connection)) return;
    const topic = topics.personal(hub, topics.tagOfConnection(connection) ?? 'unknown');
    const answered = encodeCommand({ kind: 'answered', hub, connection, invocationId, outcome });
    bus.send(hub, topic, answered, false).catch((error: unknown) => {
      const tooLarge = error instanceof GatewayError && error.code === 'too_large' && outcome.kind === 'result';
      if (tooLarge) this.completedAnywhere(hub, connection, invocationId, { kind: 'error', error: error.message });
      // else Redis is down: the asker's deadline ends the call, and the bus has counted it
    });
  }

  /** The client is over: nobody will answer any more. */
  ended(connection: string): void {
    const open = this.#open.get(connection);
    if (open === undefined) return;
    this.#open.delete(connection);
    const outcome = { kind: 'error', error: `Connection '${connection}' disconnected.` } as const;
    for (const asker of open.values()) void this.#tell(asker, outcome);
  }

  async #tell(asker: Asker, outcome: InvokeOutcome): Promise<void> {
    const { bus, node, topics } = this.#options;
    const completed: Completed = { kind: 'completed', id: asker.id, outcome };
    if (asker.node === node) {
      this.takeCompleted(completed);
      return;
    }
    try {
      await bus.send(controlLane, topics.node(asker.node), encodeCommand(completed), false);
    } catch (error) {
      const tooLarge = error instanceof GatewayError && error.code === 'too_large' && outcome.kind === 'result';
      if (tooLarge) await this.#tell(asker, { kind: 'error', error: error.message });
      // else Redis is down: the asker's deadline ends the call, and the bus has counted it
    }
  }

  /** What became of a call of this node. Late ones are passed over. */
  takeCompleted({ id, outcome }: Completed): void {
    this.#over(id, outcome.kind)?.settle(outcome);
  }

  #over(id: number, outcome: ResultOutcome): Call | undefined {
    const call = this.#calls.get(id);
    if (call === undefined) return undefined;
    this.#calls.delete(id);
    this.#options.ended(outcome, this.#options.now() - call.since);
    return call;
  }

  /** The node of clients that were called is gone. */
  nodeLost(node: string): void {
    for (const [id, call] of this.#calls) {
      if (call.node !== node) continue;
      const error = `Connection '${call.connection}' disconnected.`;
      this.takeCompleted({ kind: 'completed', id, outcome: { kind: 'error', error } });
    }
  }

  /** Ends what has waited too long; called about once a second. */
  sweep(): void {
    const now = this.#options.now();
    for (const [id, call] of this.#calls) {
      if (call.until > now) continue;
      const error = `Connection '${call.connection}' did not answer in time.`;
      this.#over(id, 'timeout')?.settle({ kind: 'error', error });
    }
  }
}
