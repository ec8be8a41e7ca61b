import { type Reader, readers } from './config-readers.ts';

/** One setting: its environment variable, how its text is read, its default and its meaning. */
export interface Setting<T> {
  readonly env: string;
  readonly read: Reader<T>;
  readonly fallback: T;
  readonly doc: string;
  /** Never printed. */
  readonly secret?: true;
}

const { count, bytes, ms, text, list, choice, port, secretList, optional, flag } = readers;

function setting<T>(env: string, read: Reader<T>, fallback: T, doc: string, secret?: true): Setting<T> {
  return secret ? { env, read, fallback, doc, secret } : { env, read, fallback, doc };
}

const KiB = 1024;
const MiB = 1024 * KiB;
const hour = 3_600_000;

/** Every setting there is. `--help`, `--print-config` and `docs/configuration.md` are made from this table. */
export const settings = {
  port: setting('PORT', port, 8080, 'Port for clients and apps.'),
  host: setting(
    'SIGNALBOX_HOST',
    text(1, 255),
    '127.0.0.1',
    'Address to listen on. Beyond loopback SIGNALBOX_ACCESS_KEY must be set.',
  ),
  appPort: setting(
    'SIGNALBOX_APP_PORT',
    optional(port),
    undefined,
    'Moves /api/ (and /server/) from PORT to this inner port.',
  ),
  appHost: setting('SIGNALBOX_APP_HOST', text(1, 255), '127.0.0.1', 'Address of SIGNALBOX_APP_PORT.'),
  adminPort: setting('SIGNALBOX_ADMIN_PORT', port, 9090, 'Port of /metrics, /livez and /readyz.'),
  adminHost: setting('SIGNALBOX_ADMIN_HOST', text(1, 255), '127.0.0.1', 'Address of the admin port.'),
  publicUrl: setting(
    'SIGNALBOX_PUBLIC_URL',
    optional(text(1, 2048)),
    undefined,
    'Endpoint of the connection string that is printed at the start, when it is not the address listened on.',
  ),
  label: setting(
    'SIGNALBOX_LABEL',
    optional(text(1, 64)),
    undefined,
    'Name of this node for people. Default: host name and process id.',
  ),
  logLevel: setting(
    'SIGNALBOX_LOG_LEVEL',
    choice('trace', 'debug', 'info', 'warn', 'error', 'silent'),
    'info',
    'Least level that is logged.',
  ),

  accessKeys: setting(
    'SIGNALBOX_ACCESS_KEY',
    secretList(32),
    [],
    'Comma-separated access keys: the first signs, all verify; each at least 32 characters. Unset: a random key, loopback only.',
    true,
  ),
  hosts: setting('SIGNALBOX_HOSTS', list(253), [], 'Host names that the audience of a token may name. Empty: any.'),
  corsOrigins: setting('SIGNALBOX_CORS_ORIGINS', list(255), ['*'], 'Origins whose pages may connect; * is any.'),

  redisUrl: setting(
    'REDIS_URL',
    optional(text(1, 4096)),
    undefined,
    'redis://, rediss://, redis+sentinel:// or redis+cluster://. Unset: one node, no Redis.',
    true,
  ),
  redisCa: setting(
    'SIGNALBOX_REDIS_CA',
    optional(text(1, 4096)),
    undefined,
    "File with the certificate authority of Redis' TLS certificate.",
  ),
  redisInsecureTls: setting(
    'SIGNALBOX_REDIS_INSECURE_TLS',
    flag,
    false,
    'Accept any TLS certificate of Redis. For providers with self-signed certificates only.',
  ),
  prefix: setting(
    'SIGNALBOX_PREFIX',
    text(1, 32, /^[A-Za-z0-9_-]+$/),
    'signalbox',
    'Name of the service in Redis: nodes with one prefix (and database) are one service.',
  ),
  routingSecret: setting(
    'SIGNALBOX_ROUTING_SECRET',
    optional(text(32, 512)),
    undefined,
    'Secret behind connection ids. Unset: made once and kept in Redis.',
    true,
  ),

  modes: setting(
    'SIGNALBOX_MODES',
    readers.hubModes,
    new Map([['*', 'auto' as const]]),
    'What the gateway does for a hub: default (app servers), serverless, or auto: serverless until an app server comes.',
  ),
  autoForgetMs: setting(
    'SIGNALBOX_AUTO_FORGET_MS',
    ms(1000, 30 * 24 * hour),
    hour,
    'An auto hub without app servers for so long is serverless again.',
  ),
  cutOffMs: setting(
    'SIGNALBOX_CUT_OFF_MS',
    ms(100, hour),
    20_000,
    'A node without Redis for so long closes its clients whose app server is linked to another node.',
  ),

  upstream: setting(
    'SIGNALBOX_UPSTREAM',
    optional(text(1, 65_536)),
    undefined,
    'Where serverless hubs post: a URL with {hub}, {category}, {event} in its path, or a JSON array of objects with url and, if wanted, hub, category and event (* or names between commas); the first that matches wins.',
    true,
  ),
  upstreamFile: setting(
    'SIGNALBOX_UPSTREAM_FILE',
    optional(text(1, 4096)),
    undefined,
    "File with what SIGNALBOX_UPSTREAM takes, or with the Azure SignalR emulator's UpstreamSettings.",
  ),
  upstreamMs: setting(
    'SIGNALBOX_UPSTREAM_MS',
    ms(50, hour),
    100_000,
    'Time for one webhook; also for those that are still to be posted of a client that left.',
  ),
  upstreamBytes: setting(
    'SIGNALBOX_UPSTREAM_BYTES',
    bytes(KiB, 256 * MiB),
    MiB,
    'Largest answer of an upstream to an invocation; more than SIGNALBOX_CLIENT_QUEUE_BYTES could not be passed on.',
  ),
  upstreamRequests: setting(
    'SIGNALBOX_UPSTREAM_REQUESTS',
    count(1, 100_000),
    256,
    'Webhooks of one hub under way at a time; one client has one.',
  ),
  upstreamQueueBytes: setting(
    'SIGNALBOX_UPSTREAM_QUEUE_BYTES',
    bytes(KiB, 4096 * MiB),
    64 * MiB,
    'Bytes of the webhooks of one hub that wait or are under way, each with 1 KiB on top; above: clients that send or come are closed, app_slow.',
  ),
  upstreamClientQueueBytes: setting(
    'SIGNALBOX_UPSTREAM_CLIENT_QUEUE_BYTES',
    bytes(KiB, 1024 * MiB),
    256 * KiB,
    'As SIGNALBOX_UPSTREAM_QUEUE_BYTES, of one client; above, when it sends more: closed, app_slow.',
  ),

  messageBytes: setting(
    'SIGNALBOX_MESSAGE_BYTES',
    bytes(KiB, 64 * MiB),
    MiB,
    'Largest message between nodes, and largest REST body.',
  ),
  batchBytes: setting(
    'SIGNALBOX_BATCH_BYTES',
    bytes(KiB, 256 * MiB),
    16 * MiB,
    'Largest REST body that carries many messages, one on each line.',
  ),
  clientMessageBytes: setting(
    'SIGNALBOX_CLIENT_MESSAGE_BYTES',
    bytes(KiB, 64 * MiB),
    MiB,
    'Largest hub message from a client, its frame included.',
  ),
  handshakeBytes: setting('SIGNALBOX_HANDSHAKE_BYTES', bytes(256, MiB), 32 * KiB, 'Largest handshake request.'),
  clientQueueBytes: setting(
    'SIGNALBOX_CLIENT_QUEUE_BYTES',
    bytes(KiB, 1024 * MiB),
    MiB,
    'Bytes that may wait for one client; above: closed, slow.',
  ),
  welcomeQueueBytes: setting(
    'SIGNALBOX_WELCOME_QUEUE_BYTES',
    bytes(0, 64 * MiB),
    64 * KiB,
    'Bytes of direct sends that wait for a client until its handshake is done.',
  ),
  linkMessageBytes: setting(
    'SIGNALBOX_LINK_MESSAGE_BYTES',
    bytes(KiB, 64 * MiB),
    16 * MiB,
    'Largest message on a link.',
  ),
  linkQueueBytes: setting(
    'SIGNALBOX_LINK_QUEUE_BYTES',
    bytes(64 * KiB, 1024 * MiB),
    16 * MiB,
    'Bytes that may wait for one app server; above: its link is closed, slow.',
  ),
  linkClientQueueBytes: setting(
    'SIGNALBOX_LINK_CLIENT_QUEUE_BYTES',
    bytes(KiB, 1024 * MiB),
    256 * KiB,
    'Bytes of one client that may wait for its app server; above: that client is closed, app_slow.',
  ),
  backplaneQueueBytes: setting(
    'SIGNALBOX_BACKPLANE_QUEUE_BYTES',
    bytes(64 * KiB, 1024 * MiB),
    16 * MiB,
    'Bytes published that Redis has not answered; above: refused, backplane_full.',
  ),
  backplaneQueueMs: setting(
    'SIGNALBOX_BACKPLANE_QUEUE_MS',
    ms(100, 60_000),
    2000,
    'Age of the oldest publish that Redis has not answered; above: refused, backplane_full.',
  ),

  handshakeMs: setting(
    'SIGNALBOX_HANDSHAKE_MS',
    ms(100, 300_000),
    15_000,
    'Time for the handshake request (claim asrs.s.cht wins).',
  ),
  pingMs: setting('SIGNALBOX_PING_MS', ms(100, hour), 15_000, 'Pings to clients of serverless hubs.'),
  clientTimeoutMs: setting(
    'SIGNALBOX_CLIENT_TIMEOUT_MS',
    ms(200, hour),
    30_000,
    'Silence of a client of a serverless hub, after its first ping, until it is closed as idle.',
  ),
  idleMs: setting(
    'SIGNALBOX_IDLE_MS',
    ms(1000, 24 * hour),
    120_000,
    'Silence of any client until it is closed as idle; of one that polls, its polls count and not this.',
  ),
  transports: setting(
    'SIGNALBOX_TRANSPORTS',
    readers.subset('WebSockets', 'ServerSentEvents', 'LongPolling'),
    ['WebSockets', 'ServerSentEvents', 'LongPolling'] as const,
    'Transports that clients may use. They try them in this order, whatever the order here.',
  ),
  pollMs: setting(
    'SIGNALBOX_POLL_MS',
    ms(100, 90_000),
    25_000,
    'How long a long poll is held when there is nothing to say. Common proxies cut at 30 to 60 s. The same on all nodes.',
  ),
  pollGapMs: setting(
    'SIGNALBOX_POLL_GAP_MS',
    ms(100, 300_000),
    15_000,
    'Time without a poll after which a long-polling client is gone (claim asrs.s.ttl wins).',
  ),
  negotiateMs: setting(
    'SIGNALBOX_NEGOTIATE_MS',
    ms(1000, 300_000),
    30_000,
    'Time between negotiate and the first use of its connection token.',
  ),
  askMs: setting('SIGNALBOX_ASK_MS', ms(50, 60_000), 2000, 'Wait for the answer of another node.'),
  invokeMs: setting(
    'SIGNALBOX_INVOKE_MS',
    ms(100, hour),
    30_000,
    'Wait for the result of a client that was invoked by REST.',
  ),
  lingerMs: setting(
    'SIGNALBOX_LINGER_MS',
    ms(0, hour),
    10_000,
    'A topic stays watched after its last local member left.',
  ),
  readyGraceMs: setting(
    'SIGNALBOX_READY_GRACE',
    readers.msOrNever(0, hour),
    15_000,
    'Redis down for so long makes /readyz say no; milliseconds or never.',
  ),
  lateMs: setting(
    'SIGNALBOX_LATE_MS',
    ms(100, 60_000),
    2000,
    "Age of this node's own probe from which on it sheds broadcasts and group sends.",
  ),
  drainMs: setting('SIGNALBOX_DRAIN_MS', ms(100, hour), 30_000, 'Deadline of a stop.'),
  drainRate: setting(
    'SIGNALBOX_DRAIN_RATE',
    count(1, 1_000_000),
    1000,
    'Clients closed per second when a node stops or an app closes many.',
  ),

  maxConnections: setting(
    'SIGNALBOX_MAX_CONNECTIONS',
    count(1, 10_000_000),
    100_000,
    'Client connections on this node.',
  ),
  maxConnectionsPerHub: setting(
    'SIGNALBOX_MAX_CONNECTIONS_PER_HUB',
    count(1, 10_000_000),
    100_000,
    'Client connections of one hub on this node.',
  ),
  maxConnectionsPerUser: setting(
    'SIGNALBOX_MAX_CONNECTIONS_PER_USER',
    count(1, 10_000_000),
    1000,
    'Client connections of one user of a hub on this node.',
  ),
  maxGroupsPerConnection: setting(
    'SIGNALBOX_MAX_GROUPS_PER_CONNECTION',
    count(1, 1_000_000),
    1000,
    'Groups that one connection may be in.',
  ),
  connectRate: setting(
    'SIGNALBOX_CONNECT_RATE',
    count(1, 1_000_000),
    5000,
    'New client connections per second on this node; above: 429.',
  ),
  groupNameChars: setting('SIGNALBOX_GROUP_NAME_CHARS', count(1, 65_536), 1024, 'Longest group name.'),
  userIdChars: setting('SIGNALBOX_USER_ID_CHARS', count(1, 65_536), 1024, 'Longest user id.'),
  listLength: setting(
    'SIGNALBOX_LIST_LENGTH',
    count(1, 1_000_000),
    10_000,
    'Longest list of connections or users in one request.',
  ),
  fanoutSliceMs: setting(
    'SIGNALBOX_FANOUT_SLICE_MS',
    ms(1, 1000),
    10,
    'How long a fan-out runs before timers and answers get their turn.',
  ),
  fanoutQueue: setting(
    'SIGNALBOX_FANOUT_QUEUE',
    count(1, 10_000_000),
    100_000,
    'Commands of one hub that may wait behind a long fan-out; above: the oldest broadcasts and group sends are shed, behind.',
  ),
} as const satisfies Record<string, Setting<unknown>>;

type ValueOf<S> = S extends Setting<infer T> ? T : never;

/** The settings of one process, read and checked. */
export type Config = { readonly [K in keyof typeof settings]: ValueOf<(typeof settings)[K]> };

/** A setting has a wrong value. The text names it; one line, ready to be printed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads every setting from the environment.
 * @throws {ConfigError} naming the first wrong setting, its rule and its value (never of a secret).
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const config: Record<string, unknown> = {};
  for (const [name, row] of Object.entries<Setting<unknown>>(settings)) {
    const given = env[row.env];
    config[name] = given === undefined || given === '' ? row.fallback : readOne(row, given);
  }
  refuseUnknown(env);
  return config as Config;
}

function readOne(row: Setting<unknown>, given: string): unknown {
  const value = row.read.read(given);
  if (value !== undefined) return value;
  const shown = row.secret ? `a value of ${given.length} characters` : JSON.stringify(given);
  throw new ConfigError(`${row.env} must be ${row.read.rule}, got ${shown}`);
}

const foreign = new Set(['SIGNALBOX_CONNECTION_STRING']);

/** A misspelt setting would be ignored in silence: refuse it by name. */
function refuseUnknown(env: Readonly<Record<string, string | undefined>>): void {
  const known = new Set(Object.values<Setting<unknown>>(settings).map((row) => row.env));
  for (const name of Object.keys(env)) {
    if (name.startsWith('SIGNALBOX_') && !known.has(name) && !foreign.has(name)) {
      throw new ConfigError(`${name} is no setting of the gateway; --help lists them`);
    }
  }
}
