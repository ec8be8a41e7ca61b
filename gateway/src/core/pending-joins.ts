import type { Question } from '../protocol/command.ts';

const nothing = (): void => undefined;

/**
 * Joins that this node passed on and that are not confirmed. Until then this node's sends to the group travel on the
 * hub's `all` topic, which the member's node watches already (measured otherwise: 0 of 2,000 arrive).
 */
export class PendingJoins {
  readonly #counts = new Map<string, number>();

  /** Must the sends to this group travel on `all`? */
  has(hub: string, group: string): boolean {
    return this.#counts.size > 0 && this.#counts.has(key(hub, group));
  }

  /** Notes the question when it is a join. @returns what to call when it is confirmed or given up. */
  begin(question: Question): () => void {
    if (question.kind !== 'join' && question.kind !== 'joinUser') return nothing;
    const name = key(question.hub, question.group);
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    return () => this.#end(name);
  }

  #end(name: string): void {
    const left = (this.#counts.get(name) ?? 1) - 1;
    if (left > 0) this.#counts.set(name, left);
    else this.#counts.delete(name);
  }
}

/** No hub name has a line feed. */
function key(hub: string, group: string): string {
  return `${hub}\n${group}`;
}
