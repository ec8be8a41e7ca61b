import { picture } from './api.js';
import { History } from './history.js';

const everyMs = 2000;
/** A node that was there and is not any more is shown for so long. */
const goneMs = 300_000;

/** Watches the cluster while the page is looked at: the last picture, the last minutes, and whether the node answers. */
export class Watch {
  picture = undefined;
  connections = new History();
  messages = new History();
  probes = new History();
  /** Nodes that went, by id: their last picture. */
  gone = new Map();
  error = undefined;
  #listeners = new Set();
  #timer = undefined;
  #running = false;
  #on;

  /** @param {{ changed: () => void, refused: () => void }} on */
  constructor(on) {
    this.#on = on;
    document.addEventListener('visibilitychange', () => {
      if (this.#running && !document.hidden) void this.#look();
    });
  }

  start() {
    if (this.#running) return;
    this.#running = true;
    void this.#look();
  }

  stop() {
    this.#running = false;
    clearTimeout(this.#timer);
    this.picture = this.error = undefined;
    this.gone.clear();
    this.connections = new History();
    this.messages = new History();
    this.probes = new History();
  }

  /** Calls back at each change, and at once when there is something to show. @returns what ends it */
  listen(listener) {
    this.#listeners.add(listener);
    if (this.picture !== undefined || this.error !== undefined) listener();
    return () => this.#listeners.delete(listener);
  }

  /** Names of all hubs in the picture. */
  get hubs() {
    const names = (this.picture?.nodes ?? []).flatMap((node) => node.hubs.map(({ hub }) => hub));
    return [...new Set(names)].sort();
  }

  /** Name for people of a node. */
  label(id) {
    const node = this.picture?.nodes.find((one) => one.node === id) ?? this.gone.get(id);
    return node?.label || id;
  }

  /** In one word and one sentence, how it is. */
  get state() {
    if (this.error !== undefined) return { kind: 'bad', text: 'No answer' };
    if (this.picture === undefined) return { kind: 'wait', text: 'Asking…' };
    if (!this.picture.whole) return { kind: 'bad', text: 'Redis down' };
    if (this.picture.missing.length > 0) return { kind: 'warn', text: 'A node is silent' };
    return { kind: 'good', text: 'Live' };
  }

  async #look() {
    clearTimeout(this.#timer);
    try {
      const seen = await picture();
      if (!this.#running) return;
      this.#note(seen);
    } catch (error) {
      if (!this.#running) return;
      if (error.status === 401) {
        this.#on.refused();
        return;
      }
      this.error = error;
    }
    this.#on.changed();
    for (const listener of this.#listeners) listener();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void (document.hidden ? undefined : this.#look()), everyMs);
  }

  #note(seen) {
    this.error = undefined;
    const here = new Set([...seen.nodes, ...seen.missing].map(({ node }) => node));
    for (const node of this.picture?.nodes ?? []) {
      if (!here.has(node.node) && seen.whole) this.gone.set(node.node, { ...node, goneAt: seen.at });
    }
    for (const [id, { goneAt }] of this.gone) if (here.has(id) || seen.at - goneAt > goneMs) this.gone.delete(id);
    this.picture = seen;
    const named = (value) => Object.fromEntries(seen.nodes.map((node) => [node.label || node.node, value(node)]));
    const sum = (value) => seen.nodes.reduce((total, node) => total + value(node), 0);
    this.connections.add(
      seen.at,
      named((node) => node.connections),
    );
    this.probes.add(
      seen.at,
      named((node) => node.redis.probeMs),
    );
    this.messages.add(seen.at, {
      'to clients': sum(({ rates }) => rates.delivered),
      'from clients': sum(({ rates }) => rates.received),
    });
  }
}
