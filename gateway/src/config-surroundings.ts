import { readers } from './config-readers.ts';
import { type Setting, setting } from './config-setting.ts';

const { count, bytes, ms, text, list, origins, choice, port, secretList, optional, flag } = readers;

const KiB = 1024;
const MiB = 1024 * KiB;
const hour = 3_600_000;

/** Settings about where a node stands: addresses, keys, Redis, hubs and who runs them. */
export const surroundings = {
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
  workers: setting(
    'SIGNALBOX_WORKERS',
    count(1, 128),
    1,
    'Nodes on this machine, each a process of its own, that share PORT. More than one needs REDIS_URL. Worker i has its admin port at SIGNALBOX_ADMIN_PORT + i.',
  ),
  workerMetrics: setting(
    'SIGNALBOX_WORKER_METRICS',
    choice('one', 'each'),
    'one',
    'Of several workers SIGNALBOX_ADMIN_PORT shows the metrics added up (one), or each worker is to be scraped by itself (each).',
  ),
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
  corsOrigins: setting('SIGNALBOX_CORS_ORIGINS', origins, ['*'], 'Origins whose pages may connect; * is any.'),

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
} as const satisfies Record<string, Setting<unknown>>;
