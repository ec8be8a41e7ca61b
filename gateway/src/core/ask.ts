import type { Asker, Verdict } from '../protocol/command.ts';

/** `first`: the first yes ends it. `every`: all must have answered; yes if one said so. */
export type AskUntil = 'first' | 'every';

/** `timeout`: somebody who may know did not answer in time. */
export type AskOutcome = Verdict | 'timeout';

interface Pending {
  readonly until: AskUntil;
  readonly started: number;
  /** The same on the clock of the deadline. */
  readonly since: number;
  readonly settle: (outcome: AskOutcome) => void;
  /** What this node found before it asked. */
  readonly here: Promise<Verdict> | undefined;
  /** Nodes that were given the question; undefined until the publish was answered. */
  expected: number | undefined;
  answers: number;
  /** The best answer so far. */
  best: Verdict;
  /** What answers held beside their verdict. */
  readonly details: Uint8Array[];
}

/** A question under way. */
export interface OpenAsk {
  readonly asker: Asker;
  readonly outcome: Promise<AskOutcome>;
  /** What answers held beside their verdict, so far. */
  readonly details: readonly Uint8Array[];
}

/** From worst to best: a later word beats an earlier one. */
const rank: readonly Verdict[] = ['no', 'failed', 'limit', 'yes'];

/** Questions to other nodes, their answers and their deadline. One timer serves all. */
export class Asks {
  readonly #node: string;
  readonly #deadlineMs: number;
  readonly #now: () => number;
  readonly #awake: () => number;
  readonly #asked: (outcome: AskOutcome, ms: number) => void;
  readonly #pending = new Map<number, Pending>();
  /** Ids are even when this node has carried the question out itself: its echo is known even after its end. */
  #nextId = 2;

  constructor(options: {
    node: string;
    deadlineMs: number;
    /** Milliseconds of a monotonic clock. */
    now: () => number;
    /** The clock of the deadline: milliseconds in which this node could hear answers. */
    awake: () => number;
    asked: (outcome: AskOutcome, ms: number) => void;
  }) {
    this.#node = options.node;
    this.#deadlineMs = options.deadlineMs;
    this.#now = options.now;
    this.#awake = options.awake;
    this.#asked = options.asked;
  }

  /** Opens a question. `here`: what this node has already answered itself. */
  open(until: AskUntil, here?: Promise<Verdict>): OpenAsk {
    const id = here === undefined ? this.#nextId + 1 : this.#nextId;
    this.#nextId += 2;
    const details: Uint8Array[] = [];
    const outcome = new Promise<AskOutcome>((settle) => {
      const [started, since] = [this.#now(), this.#awake()];
      const answers = { expected: undefined, answers: 0, best: 'no', details } as const;
      this.#pending.set(id, { until, started, since, settle, here, ...answers });
    });
    return { asker: { node: this.#node, id }, outcome, details };
  }

  /** So many nodes were given the question. */
  expect(id: number, receivers: number): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    pending.expected = receivers;
    this.#settleIfDone(id, pending);
  }

  /**
   * The echo of a question of this node came back. @returns false when it has yet to be carried out here; else what this
   * node found when it asked counts as its answer.
   */
  answerEcho(asker: Asker): boolean {
    if (asker.node !== this.#node || asker.id % 2 === 1) return false;
    void this.#pending.get(asker.id)?.here?.then((verdict) => this.answer(asker.id, verdict));
    return true;
  }

  /** One answer came. Late ones are ignored. */
  answer(id: number, verdict: Verdict, detail?: Uint8Array): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    pending.answers++;
    if (detail !== undefined) pending.details.push(detail);
    if (rank.indexOf(verdict) > rank.indexOf(pending.best)) pending.best = verdict;
    this.#settleIfDone(id, pending);
  }

  /** The question could not be sent. */
  drop(id: number): void {
    this.#pending.delete(id);
  }

  #settleIfDone(id: number, pending: Pending): void {
    const enough = pending.until === 'first' && pending.best === 'yes';
    const complete = pending.expected !== undefined && pending.answers >= pending.expected;
    if (enough || complete) this.#settle(id, pending, pending.best);
  }

  #settle(id: number, pending: Pending, outcome: AskOutcome): void {
    this.#pending.delete(id);
    this.#asked(outcome, this.#now() - pending.started);
    pending.settle(outcome);
  }

  /** Ends what has waited too long; called several times within the deadline. Ids ascend, so the oldest come first. */
  sweep(): void {
    const oldest = this.#awake() - this.#deadlineMs;
    for (const [id, pending] of this.#pending) {
      if (pending.since > oldest) return;
      this.#settle(id, pending, 'timeout');
    }
  }
}
