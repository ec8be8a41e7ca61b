import type { ServiceMessageOf } from './service.ts';

/** Message 3: flat pairs of text. Without pairs it only keeps the connection alive. */
export type Ping = ServiceMessageOf<'Ping'>;

/** Figures of the whole service, for choosing between endpoints by weight. */
export interface ServiceFigures {
  readonly clientCount: number;
  readonly serverCount: number;
  readonly capacity: number;
}

/** How a server connection wants to end: its clients are dropped, moved, or kept until they leave. */
export type ShutdownStage = 'fin:0' | 'fin:1' | 'fin:2' | 'finack';

/** What a ping says (section 8). `other` has pairs, but none that is known. */
export type PingMeaning =
  | { readonly topic: 'keepAlive' }
  /** Clients of the hub in the sender's process, and on this connection. */
  | { readonly topic: 'clientCount'; readonly inHub: number; readonly onConnection: number }
  /** From the app: does the hub have clients? From the service: it has (`active`), or not. */
  | ({ readonly topic: 'status'; readonly active: boolean } & Partial<ServiceFigures>)
  /** From the app without ids: who is there? From the service: these, as of a moment that grows. */
  | { readonly topic: 'servers'; readonly timestamp?: number; readonly ids: readonly string[] }
  /** Open one more connection, of type OnDemand, with this target. */
  | { readonly topic: 'target'; readonly instanceId: string }
  /** A node died: its clients are gone. Empty means all clients of this connection. */
  | { readonly topic: 'offline'; readonly instanceId: string }
  | { readonly topic: 'shutdown'; readonly stage: ShutdownStage }
  /** To be sent back as it is. */
  | { readonly topic: 'echo'; readonly id: string }
  /** Message-tracing logs of the SDK on or off. */
  | { readonly topic: 'messageLog'; readonly on: boolean }
  | { readonly topic: 'other' };

const stages: readonly string[] = ['fin:0', 'fin:1', 'fin:2', 'finack'] satisfies ShutdownStage[];

type Pairs = ReadonlyMap<string, string>;

/** Known keys; the first that a ping has tells what it is about. */
const readers: Readonly<Record<string, (value: string, pairs: Pairs) => PingMeaning>> = {
  '#clientInHub': readCounts,
  '#client': readCounts,
  status: (value, pairs) => ({ topic: 'status', active: value === '1', ...readFigures(pairs) }),
  servers: readServers,
  target: (instanceId) => ({ topic: 'target', instanceId }),
  offline: (instanceId) => ({ topic: 'offline', instanceId }),
  shutdown: (stage) =>
    stages.includes(stage) ? { topic: 'shutdown', stage: stage as ShutdownStage } : { topic: 'other' },
  echo: (id) => ({ topic: 'echo', id }),
  'd-m': (value) => ({ topic: 'messageLog', on: value === '1' }),
};

/** Tells what a ping says. Never throws: a value that makes no sense counts as 0, as absent or as `other`. */
export function readPing({ pairs }: Ping): PingMeaning {
  if (pairs.length === 0) return { topic: 'keepAlive' };
  const known = pairs.find(([key]) => Object.hasOwn(readers, key));
  if (known === undefined) return { topic: 'other' };
  const [key, value] = known;
  return readers[key]?.(value, new Map(pairs)) ?? { topic: 'other' };
}

function readCounts(_: string, pairs: Pairs): PingMeaning {
  const inHub = readCount(pairs.get('#clientInHub')) ?? 0;
  return { topic: 'clientCount', inHub, onConnection: readCount(pairs.get('#client')) ?? 0 };
}

function readFigures(pairs: Pairs): Partial<ServiceFigures> {
  const clientCount = readCount(pairs.get('clientcount'));
  const serverCount = readCount(pairs.get('servercount'));
  const capacity = readCount(pairs.get('capacity'));
  return {
    ...(clientCount !== undefined && { clientCount }),
    ...(serverCount !== undefined && { serverCount }),
    ...(capacity !== undefined && { capacity }),
  };
}

function readServers(value: string): PingMeaning {
  const colon = value.indexOf(':');
  const timestamp = colon > 0 ? readCount(value.slice(0, colon)) : undefined;
  const ids = value.slice(colon + 1).split(';');
  return { topic: 'servers', ...(timestamp !== undefined && { timestamp }), ids: ids.filter((id) => id !== '') };
}

/** Digits as a number; a tick count loses its last digits, which only its growth is asked of. */
function readCount(value: string | undefined): number | undefined {
  return value !== undefined && /^\d{1,19}$/.test(value) ? Number(value) : undefined;
}

function ping(...pairs: Ping['pairs']): Ping {
  return { kind: 'Ping', pairs };
}

/** The ping that only keeps a connection alive. */
export const keepAlivePing: Ping = ping();

/** The app's keep-alive: clients of the hub in this process, and on this connection. */
export function clientCountPing(inHub: number, onConnection: number): Ping {
  return ping(['#clientInHub', String(inHub)], ['#client', String(onConnection)]);
}

/** The app asks whether the hub has clients. */
export const statusRequestPing: Ping = ping(['status', '1']);

/** The service answers whether the hub has clients. */
export function statusPing(active: boolean, figures?: ServiceFigures): Ping {
  const status = ['status', active ? '1' : '0'] as const;
  if (figures === undefined) return ping(status);
  const { clientCount, serverCount, capacity } = figures;
  const counts = { clientcount: clientCount, servercount: serverCount, capacity };
  return ping(status, ...Object.entries(counts).map(([key, count]) => [key, String(count)] as const));
}

/** The app asks which servers are connected. */
export const serversRequestPing: Ping = ping(['servers', '']);

/**
 * The service lists the servers of a hub, sorted: SDKs compare the list as one text.
 * @param timestamp must be larger than that of the list before.
 */
export function serversPing(timestamp: number, ids: Iterable<string>): Ping {
  return ping(['servers', `${timestamp}:${[...ids].sort().join(';')}`]);
}

/** The service asks for one more connection with this target. */
export function targetPing(instanceId: string): Ping {
  return ping(['target', instanceId]);
}

/** The service tells that a node died; an empty id means all clients of this connection. */
export function offlinePing(instanceId: string): Ping {
  return ping(['offline', instanceId]);
}

/** The app announces the end of this connection, or the service takes note of it (`finack`). */
export function shutdownPing(stage: ShutdownStage): Ping {
  return ping(['shutdown', stage]);
}

/** The service asks for the same ping back. */
export function echoPing(id: string): Ping {
  return ping(['echo', id]);
}

/** The service switches the message-tracing logs of the SDK. */
export function messageLogPing(on: boolean): Ping {
  return ping(['d-m', on ? '1' : '0']);
}
