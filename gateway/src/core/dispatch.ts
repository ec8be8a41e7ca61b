import type { Events } from '../observe/events.ts';
import type { Facts } from '../observe/log.ts';
import type { Trace } from '../observe/trace.ts';
import type { Span, Tracing } from '../observe/tracing.ts';
import type { Address } from '../protocol/address.ts';
import type { AppCommand, Asker, Close, Question, Send, Verdict } from '../protocol/command.ts';
import type { Connection } from './connection.ts';
import { exceptOf, Fanout, isLeftOut } from './fanout.ts';
import type { Follows } from './follows.ts';
import { Frames } from './frames.ts';
import type { Membership } from './membership.ts';
import type { HubMembers, Registry } from './registry.ts';
import { Turns } from './turns.ts';
import type { Waves } from './waves.ts';

export interface DispatchOptions {
  readonly registry: Registry;
  readonly membership: Membership;
  readonly waves: Waves;
  readonly follows: Pick<Follows, 'on' | 'sent'>;
  readonly events: Events;
  /** Follows commands that come with a trace; absent: nobody does. */
  readonly tracing?: Tracing | undefined;
  /** Sends a verdict to whoever asked. */
  readonly answer: (asker: Asker, verdict: Verdict) => void;
  readonly sliceMs: number;
  readonly queue: number;
}

/** A command → the connections that live here. The same for commands of this node and of another. */
export class Dispatch {
  readonly #options: DispatchOptions;
  readonly #turns: Turns;

  constructor(options: DispatchOptions) {
    this.#options = options;
    this.#turns = new Turns({
      finished: (fanout) => this.#finished(fanout),
      sliceMs: options.sliceMs,
      queue: options.queue,
      shed: (count) => options.events.dropped('behind', count),
    });
  }

  /** Commands that wait behind long fan-outs. */
  get waiting(): number {
    return this.#turns.waiting;
  }

  /** Carries the command out for the connections here, in the order of its hub, and answers whoever asked. */
  deliver(command: AppCommand, cause?: Trace): void {
    if (command.kind !== 'send') void this.#answer(command, cause);
    else {
      const span = cause && this.#options.tracing?.begin('deliver', 'consumer', cause);
      this.#turns.run(command.hub, () => this.#send(command, span), isSheddable(command));
    }
  }

  async #answer(question: Question, cause: Trace | undefined): Promise<void> {
    const verdict = await this.ask(question, cause);
    if (question.ask !== undefined) this.#options.answer(question.ask, verdict);
  }

  /** Carries a question out here, in the order of its hub. A join is a yes only when its topic is watched. */
  ask(question: Question, cause?: Trace): Promise<Verdict> {
    if (cause !== undefined) return this.#askFollowed(question, cause);
    return this.#inTurn(question, () => this.#verdict(question));
  }

  #inTurn(question: Question, verdict: () => Promise<Verdict>): Promise<Verdict> {
    return new Promise((resolve) => {
      const work = (): undefined => {
        resolve(verdict());
      };
      if (!this.#turns.run(question.hub, work, false)) resolve('failed');
    });
  }

  async #askFollowed(question: Question, cause: Trace): Promise<Verdict> {
    const { tracing } = this.#options;
    const { hub, kind } = question;
    const span = tracing?.begin(kind, 'consumer', cause);
    const verdict = (): Promise<Verdict> => this.#verdict(question);
    const found = await this.#inTurn(question, () => (span && tracing ? tracing.during(span, verdict) : verdict()));
    span?.end({ hub, verdict: found });
    return found;
  }

  /** Does something in the order of a hub, behind the fan-outs that came before it. @returns false when too much waits. */
  inOrder(hub: string, act: () => void): boolean {
    const work = (): undefined => {
      act();
    };
    return this.#turns.run(hub, work, false);
  }

  /** Does one of the connections that the question is about live here? */
  concerns(question: Question): boolean {
    switch (question.kind) {
      case 'join':
      case 'leave':
        return this.count(question.hub, { kind: 'connection', connection: question.connection }) > 0;
      case 'close':
        return this.count(question.hub, question.to) > 0;
      case 'exists':
        return this.count(question.hub, question.at) > 0;
      default:
        return this.count(question.hub, { kind: 'user', user: question.user }) > 0;
    }
  }

  /** How many connections here the address names now, those left out included. */
  count(hub: string, to: Address): number {
    const members = this.#options.registry.hub(hub);
    return members === undefined ? 0 : audience(members, to).length;
  }

  #send(command: Send, span: Span | undefined): Fanout | undefined {
    const members = this.#options.registry.hub(command.hub);
    if (members === undefined) {
      span?.end({ hub: command.hub, to: command.to.kind, receivers: 0 });
      return undefined;
    }
    const frames = new Frames(command.payload);
    const receivers = audience(members, command.to);
    if (this.#options.follows.on) this.#options.follows.sent(command, receivers, frames);
    if (!isDirect(command.to)) {
      const fanout = new Fanout(receivers, frames, exceptOf(command.exceptConnections, command.exceptUsers));
      if (span !== undefined) fanout.done = (reached) => span.end(reachedFacts(command, reached));
      return fanout;
    }
    this.#direct(receivers, frames);
    span?.end(reachedFacts(command, receivers.length, receivers));
    return undefined;
  }

  #direct(receivers: readonly Connection[], frames: Frames): void {
    const { events } = this.#options;
    for (const receiver of receivers) {
      const frame = frames.of(receiver.protocol);
      if (frame === undefined) events.dropped('no_protocol', 1);
      else if (receiver.sendDirect(frame)) events.delivered(1, frame.bytes.length);
      else events.dropped('not_handshaken', 1);
    }
  }

  #finished(fanout: Fanout): void {
    const { events } = this.#options;
    const { delivered, bytes, noProtocol } = fanout.counts;
    events.fanout(delivered);
    fanout.done?.(delivered);
    events.delivered(delivered, bytes);
    if (noProtocol > 0) events.dropped('no_protocol', noProtocol);
  }

  async #verdict(question: Question): Promise<Verdict> {
    const members = this.#options.registry.hub(question.hub);
    if (members === undefined) return 'no';
    try {
      return await this.#answerOf(question, members);
    } catch {
      return 'failed'; // the topic could not be watched: the asker is told, and may ask again
    }
  }

  #answerOf(question: Question, members: HubMembers): Verdict | Promise<Verdict> {
    const { membership } = this.#options;
    switch (question.kind) {
      case 'join':
        return this.#withConnection(members, question.connection, (one) => membership.join(one, question.group));
      case 'leave':
        return this.#withConnection(members, question.connection, (one) => membership.leave(one, question.group));
      case 'joinUser':
        return membership.joinUser([...members.users.of(question.user)], question.group);
      case 'leaveUser':
        return membership.leaveUser([...members.users.of(question.user)], question.group);
      case 'close':
        return this.#close(question, members);
      case 'exists':
        return yesIf(audience(members, question.at).length > 0);
      case 'userInGroup':
        return yesIf(some(members.users.of(question.user), (one) => one.groups?.has(question.group) ?? false));
    }
  }

  #withConnection(
    members: HubMembers,
    id: string,
    act: (connection: Connection) => Verdict | Promise<Verdict>,
  ): Verdict | Promise<Verdict> {
    const connection = members.connections.get(id);
    return connection === undefined ? 'no' : act(connection);
  }

  #close(command: Close, members: HubMembers): Verdict {
    const except = exceptOf(command.exceptConnections, []);
    const closing = audience(members, command.to).filter((one) => except === undefined || !isLeftOut(one, except));
    if (command.to.kind === 'connection') closing[0]?.close('closed_by_app', command.reason);
    else this.#options.waves.close(closing, 'closed_by_app', command.reason);
    return yesIf(closing.length > 0);
  }
}

/** Ids that a trace names at most. */
const mostNamed = 10;

/** What a trace tells of a send: to whom it was written on this node. */
function reachedFacts({ hub, to }: Send, receivers: number, named: readonly Connection[] = []): Facts {
  const connections = named.slice(0, mostNamed).map(({ id }) => id);
  return { hub, to: to.kind, receivers, ...(connections.length > 0 && { connections: connections.join(' ') }) };
}

/** May this command be shed when the node is behind? Broadcasts and group sends only (architecture, section 9). */
function isSheddable(command: Send): boolean {
  return !isDirect(command.to);
}

function isDirect(to: Address): boolean {
  return to.kind !== 'all' && to.kind !== 'group';
}

/** The connections here at an address, as they are now: a snapshot, for a fan-out may outlive the turn. */
function audience(members: HubMembers, to: Address): Connection[] {
  switch (to.kind) {
    case 'all':
      return [...members.connections.values()];
    case 'group':
      return [...members.groups.of(to.group)];
    case 'user':
      return [...members.users.of(to.user)];
    case 'users':
      return to.users.flatMap((user) => [...members.users.of(user)]);
    case 'connection':
      return present(members, [to.connection]);
    case 'connections':
      return present(members, to.connections);
  }
}

function present(members: HubMembers, ids: readonly string[]): Connection[] {
  const found: Connection[] = [];
  for (const id of ids) {
    const connection = members.connections.get(id);
    if (connection !== undefined) found.push(connection);
  }
  return found;
}

function yesIf(condition: boolean): Verdict {
  return condition ? 'yes' : 'no';
}

function some(connections: Iterable<Connection>, test: (connection: Connection) => boolean): boolean {
  for (const connection of connections) if (test(connection)) return true;
  return false;
}
