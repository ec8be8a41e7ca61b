import { type Bus, controlLane } from '../backplane/bus.ts';
import type { Asker, Verdict } from '../protocol/command.ts';
import { encodeCommand } from '../protocol/command-codec.ts';
import type { Follow, Followed, Lookup, OperatorCommand, Quarry, Survey } from '../protocol/operator.ts';
import type { Asks } from './ask.ts';
import type { Connection } from './connection.ts';
import { Followers } from './followers.ts';
import type { Follows } from './follows.ts';
import type { Nodes } from './nodes.ts';
import type { Registry } from './registry.ts';
import { inSight } from './sights.ts';
import type { Topics } from './topics.ts';

export interface OperatorsOptions {
  readonly node: string;
  readonly now: () => number;
  readonly follows: Follows;
  readonly bus: Pick<Bus, 'send' | 'hearing' | 'remote'>;
  readonly asks: Asks;
  readonly topics: Topics;
  readonly registry: Registry;
  readonly nodes: Pick<Nodes, 'labels'>;
  readonly answer: (asker: Asker, verdict: Verdict, detail: Uint8Array) => void;
}

/** One connection, as an operator sees it. */
export interface Sighting {
  readonly hub: string;
  readonly connection: string;
  readonly user: string | undefined;
  readonly transport: string;
  readonly protocol: string;
  readonly state: string;
  /** When it came, in ms since 1970. */
  readonly since: number;
  /** Seconds since something last came from it. */
  readonly silentSeconds: number;
  /** The first {@link shownGroups} of them. */
  readonly groups: readonly string[];
  readonly groupCount: number;
  /** Units of its transport. */
  readonly received: { readonly messages: number; readonly bytes: number };
  readonly sent: { readonly messages: number; readonly bytes: number };
  readonly queuedBytes: number;
  /** The app server that runs its hub; absent: the gateway itself, or none yet. */
  readonly app?: { readonly server: string; readonly node: string } | undefined;
}

/** What one node answered. */
export interface NodeAnswer<T> {
  readonly node: string;
  readonly value: T;
}

/** What the nodes answered, and who did not. */
export interface Answers<T> {
  readonly answers: readonly NodeAnswer<T>[];
  /** Nodes that are known and did not answer, by id, with their names for people. */
  readonly missing: readonly { readonly node: string; readonly label: string }[];
  /** Redis is known down, and only this node was asked. */
  readonly cutOff: boolean;
}

/** Groups of one connection that are listed. */
const shownGroups = 20;
/** About the most that one node answers to a look-up: long names must not make an answer that cannot leave. */
const answerBytes = 256 * 1024;

/** What operators ask and follow, on all nodes: this node's side of who asks, and of who answers. */
export class Operators {
  readonly #follows: Follows;
  readonly followers: Followers;
  #picture: () => unknown = () => null;
  readonly #options: OperatorsOptions;

  constructor(options: OperatorsOptions) {
    this.#options = options;
    this.#follows = options.follows;
    this.followers = new Followers(options);
  }

  /** How this node is: a JSON value, asked for about once a second at most by each node. */
  attach(picture: () => unknown): void {
    this.#picture = picture;
  }

  /** Tells who follows, at this node or at another. Rejects when it did not leave. */
  async tell({ ask }: Follow, followed: Followed): Promise<void> {
    const { bus, node, topics } = this.#options;
    if (ask.node === node) this.followers.take(followed);
    else await bus.send(controlLane, topics.node(ask.node), encodeCommand(followed), false);
  }

  /** How every node is. Waits for all that are known, at most SIGNALBOX_ASK_MS; who does not answer is named. */
  survey(): Promise<Answers<unknown>> {
    return this.#ask((ask) => ({ kind: 'survey', ask }));
  }

  /** Who is there, at most `max` of each node. Waits as {@link survey}. */
  lookup(quarry: Quarry, max: number): Promise<Answers<readonly Sighting[]>> {
    return this.#ask((ask) => ({ kind: 'lookup', ...quarry, ask, max }));
  }

  async #ask<T>(question: (ask: Asker) => Survey | Lookup): Promise<Answers<T>> {
    const { asks, bus, node, nodes, topics } = this.#options;
    const { asker, outcome, details } = asks.open('every');
    const command = question(asker);
    const cutOff = bus.remote && !bus.hearing;
    if (!bus.remote || cutOff) {
      asks.drop(asker.id);
      return { answers: [{ node, value: this.#here(command) as T }], missing: [], cutOff };
    }
    try {
      asks.expect(asker.id, await bus.send(controlLane, topics.news, encodeCommand(command), true));
    } catch (error) {
      asks.drop(asker.id);
      throw error;
    }
    await outcome;
    const answers = details.map((detail) => JSON.parse(Buffer.from(detail).toString()) as NodeAnswer<T>);
    const there = new Set(answers.map((one) => one.node));
    const missing = [...nodes.labels()].filter(([id]) => !there.has(id)).map(([id, label]) => ({ node: id, label }));
    return { answers, missing, cutOff };
  }

  #here(question: Survey | Lookup): unknown {
    if (question.kind === 'survey') return this.#picture();
    const found: Sighting[] = [];
    let bytes = 0;
    for (const connection of inSight(this.#options.registry, question)) {
      if (found.length >= question.max || bytes > answerBytes) break;
      const sighting = this.#sighting(connection);
      bytes += JSON.stringify(sighting).length;
      found.push(sighting);
    }
    return found;
  }

  #sighting(connection: Connection): Sighting {
    const { hub, id, userId, transport, protocol, state, groups, app } = connection;
    const { receivedUnits, receivedBytes, sentFrames, sentBytes, queuedBytes } = connection;
    return {
      hub,
      connection: id,
      user: userId,
      transport: transport.kind,
      protocol,
      state,
      since: Math.round(performance.timeOrigin + connection.since),
      silentSeconds: Math.max(0, Math.round((this.#options.now() - connection.lastReceived) / 1000)),
      groups: [...(groups ?? [])].slice(0, shownGroups),
      groupCount: groups?.size ?? 0,
      received: { messages: receivedUnits, bytes: receivedBytes },
      sent: { messages: sentFrames, bytes: sentBytes },
      queuedBytes,
      app: app?.carriedBy,
    };
  }

  /** An operator at a node, perhaps this one, says something. */
  take(command: OperatorCommand): void {
    switch (command.kind) {
      case 'survey':
      case 'lookup': {
        const { node, answer } = this.#options;
        const value: NodeAnswer<unknown> = { node, value: this.#here(command) };
        answer(command.ask, 'yes', Buffer.from(JSON.stringify(value)));
        return;
      }
      case 'follow':
        this.#follows.follow(command);
        return;
      case 'unfollow':
        this.#follows.unfollow(command);
        return;
      case 'followed':
        this.followers.take(command);
    }
  }

  nodeLeft(node: string): void {
    this.#follows.nodeGone(node);
  }

  nodeLost(node: string): void {
    this.#follows.nodeGone(node);
  }

  /** Called about once a second. */
  sweep(): void {
    this.#follows.sweep();
    this.followers.sweep();
  }
}
