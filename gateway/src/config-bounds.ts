import { readers } from './config-readers.ts';
import { type Setting, setting } from './config-setting.ts';

const { count, bytes, ms } = readers;

const KiB = 1024;
const MiB = 1024 * KiB;
const hour = 3_600_000;

/** Settings about how much and how long: sizes, times, limits. */
export const bounds = {
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
    'Redis down, or the event loop late, for so long makes /readyz say no; milliseconds or never.',
  ),
  lateMs: setting(
    'SIGNALBOX_LATE_MS',
    ms(100, 60_000),
    2000,
    "Age of this node's own probe from which on it sheds broadcasts and group sends; from the same lateness on the event loop counts as unwell.",
  ),
  unreadyMs: setting(
    'SIGNALBOX_UNREADY_MS',
    ms(0, hour),
    0,
    'A node that stops says no on /readyz for so long before it closes its ports: longer than your balancer needs to notice. Part of SIGNALBOX_DRAIN_MS.',
  ),
  handOverMs: setting(
    'SIGNALBOX_HAND_OVER_MS',
    ms(0, hour),
    5000,
    'A node that stops waits at most so long for app servers that have links here alone to open one on another node; 0: it does not ask them. Part of SIGNALBOX_DRAIN_MS.',
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
  clientsPerLink: setting(
    'SIGNALBOX_CLIENTS_PER_LINK',
    count(1, 10_000_000),
    5000,
    'Clients of one link from which on its app server is asked to open another one.',
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
