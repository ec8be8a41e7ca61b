/** Links of one app server to one hub. */
export interface LinkCount {
  readonly hub: string;
  /** Id of the app server; `other` for those beyond the limit of the label, empty for a hub that has none. */
  readonly server: string;
  readonly count: number;
}

/** App servers have an id of their own at each start: only those that are there now are shown, and so many of them. */
const mostServers = 100;

/** The links that are up, by hub and app server. */
export class LinkCounts {
  readonly #hubs = new Map<string, Map<string, number>>();

  /** One link more, or one less. */
  change(hub: string, server: string, by: 1 | -1): void {
    const servers = this.#hubs.get(hub) ?? new Map<string, number>();
    this.#hubs.set(hub, servers);
    const count = (servers.get(server) ?? 0) + by;
    if (count === 0) servers.delete(server);
    else servers.set(server, count);
  }

  /** A hub that had a link once has a row for ever, so that the loss of its last one shows. */
  *rows(): Generator<LinkCount> {
    let room = mostServers;
    for (const [hub, servers] of this.#hubs) {
      if (servers.size === 0) yield { hub, server: '', count: 0 };
      let others = 0;
      for (const [server, count] of servers) {
        if (room-- > 0) yield { hub, server, count };
        else others += count;
      }
      if (others > 0) yield { hub, server: 'other', count: others };
    }
  }
}
