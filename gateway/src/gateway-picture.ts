import type { Link } from './apps/link.ts';
import type { Backbone } from './backbone.ts';
import type { Config } from './config.ts';
import type { Core } from './core/core.ts';
import type { HubMembers } from './core/registry.ts';
import type { Hubs } from './hubs.ts';
import type { Health } from './observe/health.ts';
import type { Pulse, Rates } from './observe/pulse.ts';
import { version } from './version.ts';

/** How a node is, as it tells operators at any node. Must be JSON; fields are only added. */
export interface NodePicture {
  readonly label: string;
  readonly version: string;
  /** Of Node.js. */
  readonly runtime: string;
  /** In ms since 1970. */
  readonly startedAt: number;
  readonly draining: boolean;
  readonly connections: number;
  readonly topics: number;
  readonly rssBytes: number;
  readonly rates: Rates;
  /** Since the start, by reason. */
  readonly closes: Readonly<Record<string, number>>;
  readonly drops: Readonly<Record<string, number>>;
  readonly redis: RedisPicture;
  /** Those with most connections. */
  readonly hubs: readonly HubPicture[];
  /** Hubs that are not shown. */
  readonly moreHubs: number;
  readonly links: readonly LinkPicture[];
  readonly moreLinks: number;
}

/** A node's way to Redis. */
export interface RedisPicture {
  /** Is `REDIS_URL` set? */
  readonly used: boolean;
  readonly up: boolean;
  /** Round trip of the last probe, in ms. */
  readonly probeMs?: number | undefined;
  /** The last envelope of another node: sent there, arrived here, in ms. */
  readonly latencyMs?: number | undefined;
  readonly outstandingBytes: number;
}

/** One hub on one node. */
export interface HubPicture {
  readonly hub: string;
  readonly mode: string;
  readonly connections: number;
  readonly users: number;
  readonly groups: number;
  /** Connections by transport. */
  readonly transports: Readonly<Record<string, number>>;
  readonly protocols: Readonly<Record<string, number>>;
}

/** One link on one node. */
export interface LinkPicture {
  readonly hub: string;
  readonly server: string;
  readonly taking: boolean;
  readonly clients: number;
}

const shownHubs = 100;
const shownLinks = 200;

/** Of what a picture is taken. */
export interface PictureParts {
  readonly backbone: Pick<Backbone, 'bus' | 'outstandingBytes'>;
  readonly core: Core;
  readonly hubs: Pick<Hubs, 'links' | 'modeOf'>;
  readonly health: Pick<Health, 'ready'>;
  readonly config: Pick<Config, 'redisUrl'>;
  readonly label: string;
  readonly pulse: Pulse;
}

/** Makes pictures of this node. */
export function picturer(parts: PictureParts): () => NodePicture {
  const { core, health, hubs, label, pulse } = parts;
  return () => {
    const names = [...core.registry.hubs].sort(([, a], [, b]) => b.connections.size - a.connections.size);
    const links = [...hubs.links.here];
    return {
      label,
      version,
      runtime: process.version,
      startedAt: Math.round(performance.timeOrigin),
      draining: health.ready().draining,
      connections: core.registry.size,
      topics: core.watches.size,
      rssBytes: process.memoryUsage.rss(),
      rates: pulse.rates(),
      closes: Object.fromEntries(pulse.closes),
      drops: Object.fromEntries(pulse.drops),
      redis: redisPicture(parts),
      hubs: names.slice(0, shownHubs).map(([hub, members]) => hubPicture(hub, hubs.modeOf(hub), members)),
      moreHubs: Math.max(0, names.length - shownHubs),
      links: links.slice(0, shownLinks).map(linkPicture),
      moreLinks: Math.max(0, links.length - shownLinks),
    };
  };
}

function redisPicture({ backbone, config, core, pulse }: PictureParts): RedisPicture {
  return {
    used: config.redisUrl !== undefined,
    up: backbone.bus.hearing && core.nodes.leased,
    probeMs: pulse.probeMs,
    latencyMs: pulse.latencyMs,
    outstandingBytes: backbone.outstandingBytes(),
  };
}

/** Goes through all connections of the hub: a node asks the others for their pictures once a second at most. */
function hubPicture(hub: string, mode: string, { connections, users, groups }: HubMembers): HubPicture {
  const transports: Record<string, number> = {};
  const protocols = { json: 0, messagepack: 0, other: 0 };
  for (const { transport, protocol } of connections.values()) {
    transports[transport.kind] = (transports[transport.kind] ?? 0) + 1;
    protocols[protocol === 'json' || protocol === 'messagepack' ? protocol : 'other']++;
  }
  const sizes = { connections: connections.size, users: users.size, groups: groups.size };
  return { hub, mode, ...sizes, transports, protocols };
}

function linkPicture({ hub, server, taking, clients }: Link): LinkPicture {
  return { hub, server, taking, clients };
}
