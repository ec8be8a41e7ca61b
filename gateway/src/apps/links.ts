import { targetPing } from '@signalbox/app-sdk/protocol';
import type { Modes } from '../core/mode.ts';
import type { Nodes, NodesListener } from '../core/nodes.ts';
import type { Link } from './link.ts';
import { type LinkNews, type NodeNews, readNodeNews } from './link-news.ts';

/** A link on another node, as its node last told. */
interface RemoteLink extends LinkNews {
  readonly node: string;
  /** Clients that this node bound to it since. */
  bound: number;
}

/** Where a client may go: a link here, or one elsewhere. */
export type Choice =
  | { readonly kind: 'here'; readonly link: Link; readonly server: string }
  | { readonly kind: 'there'; readonly node: string; readonly link: string; readonly server: string };

/** Which links may be chosen. */
export interface Wish {
  /** Id of the app server that a client's token names. */
  readonly server?: string | undefined;
  readonly sticky?: 'Preferred' | 'Required' | undefined;
  /** Ids of links that were tried, and of an app server that the client leaves. */
  readonly not?: ReadonlySet<string>;
}

export interface LinksOptions {
  readonly node: string;
  readonly label: string;
  readonly nodes: Pick<Nodes, 'announce' | 'listen'>;
  readonly modes: Modes;
  /** Clients of one link from which on its app server is asked for another one. */
  readonly clientsPerLink: number;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  readonly random?: () => number;
}

/** An app server that opens no further link is not asked again sooner, in ms. */
const askAgainMs = 10_000;

/** All links anywhere, and the choice among them (architecture, section 4). */
export class Links implements NodesListener {
  readonly #options: LinksOptions;
  readonly #random: () => number;
  /** Links here, by id. */
  readonly #here = new Map<string, Link>();
  /** Links elsewhere, by node. */
  readonly #there = new Map<string, RemoteLink[]>();
  /** Of these nodes, those that are stopping. */
  readonly #stoppingThere = new Set<string>();
  #stopping = false;
  /** When each app server here was last asked for another link, by hub and server. */
  readonly #asked = new Map<string, number>();
  #nextId = 1;

  constructor(options: LinksOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    options.nodes.listen(this);
  }

  /** Links here. */
  get here(): Iterable<Link> {
    return this.#here.values();
  }

  nextId(): string {
    return `${this.#options.node}.${this.#nextId++}`;
  }

  /** A link here, by its id. */
  find(id: string): Link | undefined {
    return this.#here.get(id);
  }

  add(link: Link): void {
    this.#here.set(link.id, link);
    if (link.taking) this.#options.modes.linkSeen(link.hub);
    this.#announce(true);
  }

  changed(link: Link): void {
    if (link.taking) this.#options.modes.linkSeen(link.hub);
    if (link.taking && link.clients >= this.#options.clientsPerLink) this.#askForMore(link);
    this.#announce(false);
  }

  /** Asks the app server for one more link, to this node if the balancer so wills (service protocol, section 8, `target`). */
  #askForMore(link: Link): void {
    const { hub, server } = link;
    const { node, now } = this.#options;
    const key = keyOf({ hub, server });
    const asked = this.#asked.get(key) ?? Number.NEGATIVE_INFINITY;
    if (now() - asked < askAgainMs) return;
    this.#asked.set(key, now());
    link.say(targetPing(node));
  }

  /** A link leaves: the others must know at once that it takes nobody any more. */
  leaving(): void {
    this.#announce(true);
  }

  remove(link: Link): void {
    this.#here.delete(link.id);
    this.#asked.delete(keyOf(link));
    this.#announce(true);
  }

  /** This node is stopping: the others must not wait for links that are made here. */
  stop(): void {
    this.#stopping = true;
    this.#announce(true);
  }

  /** One link here of each app server that has none elsewhere which takes clients of the hub. */
  sole(): readonly Link[] {
    const elsewhere = [...this.#there.values()].flat().filter(({ taking }) => taking);
    const served = new Set(elsewhere.map(keyOf));
    const sole = new Map<string, Link>();
    for (const link of this.#here.values()) if (link.taking && !served.has(keyOf(link))) sole.set(keyOf(link), link);
    return [...sole.values()];
  }

  /** Another node where links can be made. */
  haven(): string | undefined {
    return [...this.#there.keys()].find((node) => !this.#stoppingThere.has(node));
  }

  #announce(atOnce: boolean): void {
    const { label, modes, nodes } = this.#options;
    const links = [...this.#here.values()].map(({ id, hub, server, taking, clients }) => ({
      id,
      hub,
      server,
      taking,
      clients,
    }));
    for (const { hub, taking } of links) if (taking) modes.linkSeen(hub);
    const news: NodeNews = { label, links, hubs: modes.recent(), ...(this.#stopping && { stopping: true }) };
    nodes.announce(news, atOnce);
  }

  /** Ids of all app servers of a hub, in an order that stays. */
  servers(hub: string): readonly string[] {
    const ids = [...this.#allOf(hub)].map(({ server }) => server);
    return [...new Set(ids)].sort();
  }

  /** Is there a link that takes clients of this hub? */
  takes(hub: string): boolean {
    return this.choose(hub, {}, false) !== undefined;
  }

  *#allOf(hub: string): Generator<{ server: string }> {
    for (const link of this.#here.values()) if (link.hub === hub) yield link;
    for (const links of this.#there.values()) for (const link of links) if (link.hub === hub) yield link;
  }

  /** The link for a client: its own app server first where it has one, then a link here, then the less loaded of two elsewhere. */
  choose(hub: string, wish: Wish, counts = true): Choice | undefined {
    const own = wish.server === undefined ? undefined : this.#pick(hub, wish, wish.server, counts);
    if (own !== undefined || wish.sticky === 'Required') return own;
    return this.#pick(hub, wish, undefined, counts);
  }

  #pick(hub: string, { not }: Wish, server: string | undefined, counts: boolean): Choice | undefined {
    const fits = (link: { id: string; hub: string; server: string; taking: boolean }): boolean =>
      link.taking &&
      link.hub === hub &&
      (server === undefined || link.server === server) &&
      !not?.has(link.id) &&
      !not?.has(link.server);
    const here = least(this.#fromAnyOn([...this.#here.values()].filter(fits)), (link) => link.clients);
    if (here !== undefined) return { kind: 'here', link: here, server: here.server };
    const there = this.#lessLoadedOfTwo([...this.#there.values()].flat().filter(fits));
    if (there === undefined) return undefined;
    if (counts) there.bound++;
    return { kind: 'there', node: there.node, link: there.id, server: there.server };
  }

  /** From a random one on: of links with equal load, not always the same app server's is the first. */
  #fromAnyOn<T>(links: readonly T[]): readonly T[] {
    if (links.length < 2) return links;
    const from = Math.floor(this.#random() * links.length);
    return [...links.slice(from), ...links.slice(0, from)];
  }

  #lessLoadedOfTwo(links: readonly RemoteLink[]): RemoteLink | undefined {
    const draw = (): RemoteLink | undefined => links[Math.floor(this.#random() * links.length)];
    const drawn = [draw(), draw()].filter((link) => link !== undefined);
    return least(drawn, (link) => link.clients + link.bound);
  }

  nodeChanged(node: string, data: unknown): void {
    const news = readNodeNews(data);
    this.#there.set(
      node,
      news.links.map((link) => ({ ...link, node, bound: 0 })),
    );
    if (news.stopping) this.#stoppingThere.add(node);
    for (const [hub, ago] of news.hubs) this.#options.modes.linkSeen(hub, ago);
  }

  nodeLeft(node: string): void {
    this.#there.delete(node);
    this.#stoppingThere.delete(node);
  }

  nodeLost(node: string): void {
    this.nodeLeft(node);
  }
}

/** An app server, for one hub. */
function keyOf({ hub, server }: { readonly hub: string; readonly server: string }): string {
  return JSON.stringify([hub, server]);
}

function least<T>(items: readonly T[], weight: (item: T) => number): T | undefined {
  let best: T | undefined;
  for (const item of items) if (best === undefined || weight(item) < weight(best)) best = item;
  return best;
}
