/**
 * The backplane carries bytes between nodes by topic. It knows no users, groups or commands.
 * Makers: `memory.ts` (one process), `redis.ts` (many nodes). Suite: `test/backplane/backplane.suite.ts`.
 */

/** What a backplane tells. None of these may throw. */
export interface BackplaneEvents {
  /** Somebody, perhaps this node, published on a watched topic. The bytes are valid as long as they are kept. */
  message(topic: string, envelope: Uint8Array): void;
  /** Nothing can be trusted to arrive any more. Called once; then {@link hearing} follows, or nothing. */
  deaf(): void;
  /** All wanted topics are watched again. Never called for the first time: {@link Backplane.start} resolves instead. */
  hearing(): void;
}

export interface Backplane {
  /** Resolves when it hears; rejects with `backplane_down` when that takes longer than the maker's start limit. Called once. */
  start(on: BackplaneEvents): Promise<void>;
  /**
   * Resolves when the topic is watched; what is published afterwards arrives. Watching twice is watching once.
   * Rejects with `backplane_down` after 2 s, or at once when Redis is known down. The topic stays wanted until {@link unwatch}, so that re-watching catches up.
   */
  watch(topic: string): Promise<void>;
  /** Nobody here wants the topic: nothing of it is told from now on. Redis is told soon after. Never rejects. */
  unwatch(topic: string): Promise<void>;
  /**
   * Resolves with the number of nodes that were given the envelope, this one included when it watches the topic; its own
   * echo comes through {@link BackplaneEvents.message}, later and in order. Rejects with `backplane_down` or
   * `backplane_full` when it was not taken. A rejection after it was on the way means: perhaps taken, never sent again.
   * Calls keep their order per lane (control topics are one lane). At most once.
   */
  publish(topic: string, envelope: Uint8Array): Promise<number>;
  /** How many nodes watch the topic now, this one included. Rejects with `backplane_down`. */
  watchers(topic: string): Promise<number>;
  /** Gives up everything; waiting calls reject. Nothing is told afterwards. */
  close(): Promise<void>;
}

/** What a maker is like, and how it feels: asked by the bus and by whoever makes topics. */
export interface BackplaneTraits {
  /** May other nodes be there? `false`: publishing reaches nobody else, so local dispatch needs no echo. */
  readonly remote: boolean;
  /**
   * Must topics carry Redis Cluster hash tags? Then those of a hub begin `{{prefix}:h:{hub}}` and control topics
   * `{{prefix}}`, each with literal braces around the tag, so that a lane has one slot and one order.
   */
  readonly hashTags: boolean;
  /** Is this a control topic (answers, probes, news)? They travel on connections of their own. */
  isControl(topic: string): boolean;
  /** Age in milliseconds of the oldest own probe that is not back; 0 when none is out. Large means: this node is behind. */
  lateness(): number;
}

/** Control topics by their shape: `{prefix}:n:{node}` and `{prefix}:news`, with or without hash tag. */
export function controlTopics(prefix: string): (topic: string) => boolean {
  const forms = [prefix, `{${prefix}}`];
  return (topic) => forms.some((form) => topic.startsWith(`${form}:n:`) || topic === `${form}:news`);
}
