import type { Bus } from '../backplane/bus.ts';
import { GatewayError } from '../errors.ts';
import type { Events } from '../observe/events.ts';
import { type Trace, writeTraceparent } from '../observe/trace.ts';
import type { AppCommand, Question, Send, Verdict } from '../protocol/command.ts';
import { encodeCommand } from '../protocol/command-codec.ts';
import type { AskOutcome, Asks } from './ask.ts';
import type { Dispatch } from './dispatch.ts';
import { PendingJoins } from './pending-joins.ts';
import { expand, payloadBytes, topicOf } from './routes.ts';
import type { Standing } from './standing.ts';
import type { Topics } from './topics.ts';

/** Through which door a command came: REST commands take effect by their echo, those of links at once (architecture, section 2). */
export type Door = 'rest' | 'link';

/** `all`: every node was told. `local`: Redis is known down, only members on this node were reached. */
export type Reach = 'all' | 'local';

/** `limit`: refused because a setting's limit was reached. */
export type Reply = 'yes' | 'no' | 'limit';

/** What the doors see of the core. A `cause` is followed to the clients, on whatever node. */
export interface Router {
  /**
   * Sends; resolves when Redis took it.
   * @throws {GatewayError} `too_large`, `backplane_full`, or `backplane_down` when nobody was reached.
   */
  send(command: Send, door: Door, cause?: Trace): Promise<Reach>;
  /**
   * Asks, and resolves when the change is in force or the answer is certain.
   * @throws {GatewayError} `no_answer` when it is not, `backplane_down`, `backplane_full`, `too_large`.
   */
  ask(question: Question, door: Door, cause?: Trace): Promise<Reply>;
}

export interface RouterOptions {
  readonly bus: Pick<Bus, 'send' | 'sendVia' | 'hearing' | 'remote'>;
  readonly dispatch: Dispatch;
  readonly asks: Asks;
  readonly topics: Topics;
  readonly standing: Standing;
  readonly events: Events;
  /** Do all living nodes hear everything? Without that a "no" proves nothing. */
  readonly settled: () => Promise<boolean>;
  /** Largest message between nodes, in bytes. */
  readonly messageBytes: number;
}

function traceText(cause: Trace | undefined): string | undefined {
  return cause && writeTraceparent(cause);
}

interface Shape {
  /** About one connection or one fact: the first yes is enough. Else all must have answered. */
  readonly one: boolean;
  /** Succeeds also where there was nobody to do it to. */
  readonly always: boolean;
}

const single = (): Shape => ({ one: true, always: false });
const many = (): Shape => ({ one: false, always: true });

const shapes: { readonly [K in Question['kind']]: (question: Question) => Shape } = {
  join: single,
  leave: single,
  exists: single,
  userInGroup: single,
  joinUser: many,
  leaveUser: many,
  close: (question) => (question.kind === 'close' && question.to.kind === 'connection' ? single() : many()),
};

/** A command → the connections here and the nodes that hold the others. */
export function createRouter(options: RouterOptions): Router {
  return new CommandRouter(options);
}

class CommandRouter implements Router {
  readonly #options: RouterOptions;
  readonly #joins = new PendingJoins();

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  async send(command: Send, door: Door, cause?: Trace): Promise<Reach> {
    const { bus, dispatch } = this.#options;
    this.#refuseLarge(payloadBytes(command.payload));
    if (bus.remote && !bus.hearing) return this.#sendHere(command, door, cause);
    if (bus.remote) await Promise.all(expand(command).map((one) => this.#publishSend(one, door, cause)));
    else dispatch.deliver(command, cause);
    return 'all';
  }

  /** Redis is known down: the members here are served, the others are counted as lost. */
  #sendHere(command: Send, door: Door, cause: Trace | undefined): Reach {
    const { dispatch, events } = this.#options;
    events.dropped('backplane_down', 1);
    if (door === 'rest' && dispatch.count(command.hub, command.to) === 0) {
      throw new GatewayError('backplane_down', 'Redis is down, and no receiver is connected to this node');
    }
    dispatch.deliver(command, cause);
    return 'local';
  }

  /** What Redis does not take is counted by the bus. */
  async #publishSend(command: Send, door: Door, cause: Trace | undefined): Promise<void> {
    const { bus, dispatch, topics } = this.#options;
    const bytes = this.#encode(command);
    if (door === 'link') dispatch.deliver(command, cause);
    await bus.send(command.hub, topicOf(topics, command, this.#joins), bytes, door === 'rest', traceText(cause));
  }

  ask(question: Question, door: Door, cause?: Trace): Promise<Reply> {
    const { bus } = this.#options;
    if (!bus.remote) return this.#askAlone(question, cause);
    if (!bus.hearing) return this.#askHere(question, cause);
    return door === 'link' ? this.#askForLink(question, cause) : this.#askForRest(question, cause);
  }

  /** One node: it knows everything. */
  async #askAlone(question: Question, cause: Trace | undefined): Promise<Reply> {
    const { dispatch, standing } = this.#options;
    const verdict = dispatch.ask(question, cause);
    await standing.change(question);
    return this.#reply(question, await verdict);
  }

  /** Redis is known down: only a yes of this node is certain, and nothing can be kept for a user. */
  async #askHere(question: Question, cause: Trace | undefined): Promise<Reply> {
    const { dispatch, standing } = this.#options;
    const verdict = standing.concerns(question) ? 'no' : await dispatch.ask(question, cause);
    if (verdict === 'yes' || verdict === 'limit') return verdict;
    throw new GatewayError('backplane_down', 'Redis is down, and this node alone cannot answer');
  }

  /** A link's next send must see the change, so this node carries it out at once; one connection is in one place only. */
  #askForLink(question: Question, cause: Trace | undefined): Promise<Reply> {
    const { dispatch } = this.#options;
    const { one } = shapes[question.kind](question);
    if (one && dispatch.concerns(question)) return this.#certain(question, dispatch.ask(question, cause));
    return this.#askAll(question, cause, dispatch.ask(question, cause));
  }

  /** In the order of REST sends, so every node, this one included, carries it out when it comes back from Redis. */
  #askForRest(question: Question, cause: Trace | undefined): Promise<Reply> {
    const here = question.kind === 'exists' && this.#options.dispatch.concerns(question);
    return here ? Promise.resolve('yes') : this.#askAll(question, cause);
  }

  async #certain(question: Question, verdict: Promise<Verdict>): Promise<Reply> {
    return this.#reply(question, await verdict);
  }

  /** Asks all nodes that may know. Up to the publish nothing is awaited: the order of a link's commands hangs on it. */
  async #askAll(question: Question, cause: Trace | undefined, here?: Promise<Verdict>): Promise<Reply> {
    const { asks } = this.#options;
    const { one } = shapes[question.kind](question);
    const { asker, outcome } = asks.open(one ? 'first' : 'every', here);
    const joined = this.#joins.begin(question);
    try {
      asks.expect(asker.id, await this.#publish({ ...question, ask: asker }, cause));
      return await this.#conclude(question, await outcome);
    } catch (error) {
      asks.drop(asker.id);
      throw error;
    } finally {
      joined();
    }
  }

  #publish(question: Question, cause: Trace | undefined): Promise<number> {
    const { bus, topics, standing } = this.#options;
    const bytes = this.#encode(question);
    const topic = topicOf(topics, question, this.#joins);
    const store = standing.storing(question, topic);
    if (store === undefined) return bus.send(question.hub, topic, bytes, true, traceText(cause));
    return bus.sendVia(question.hub, topic, bytes, true, store);
  }

  async #conclude(question: Question, outcome: AskOutcome): Promise<Reply> {
    if (outcome === 'timeout') throw new GatewayError('no_answer', 'a node that may know did not answer in time');
    const reply = await this.#reply(question, outcome);
    const certain = reply === 'yes' && shapes[question.kind](question).one;
    if (!certain && !(await this.#options.settled())) {
      throw new GatewayError('no_answer', 'a node is still coming back to Redis: it may hold somebody who is meant');
    }
    return reply;
  }

  async #reply(question: Question, verdict: Verdict): Promise<Reply> {
    if (verdict === 'failed') throw new GatewayError('no_answer', 'a topic could not be watched in time');
    if (verdict !== 'no') return verdict;
    if (question.kind === 'userInGroup') return (await this.#options.standing.stands(question)) ? 'yes' : 'no';
    return shapes[question.kind](question).always ? 'yes' : 'no';
  }

  #encode(command: AppCommand): Uint8Array {
    const bytes = encodeCommand(command);
    this.#refuseLarge(bytes.length);
    return bytes;
  }

  #refuseLarge(bytes: number): void {
    const { messageBytes, events } = this.#options;
    if (bytes <= messageBytes) return;
    events.dropped('too_large', 1);
    throw new GatewayError('too_large', `a message must be at most ${messageBytes} bytes, got ${bytes}`);
  }
}
