import { readers } from './config-readers.ts';
import { type Setting, setting } from './config-setting.ts';

const { bytes, count, list, optional, text } = readers;

const KiB = 1024;

/** Settings about the operators' page and its API on the admin port. */
export const operators = {
  adminToken: setting(
    'SIGNALBOX_ADMIN_TOKEN',
    optional(text(32, 512)),
    undefined,
    "Token of the operators' page and of `signalbox nodes` and `tail`, the same on all nodes. Unset: made at random and printed when the access key is, too; else there is no page.",
    true,
  ),
  adminHosts: setting(
    'SIGNALBOX_ADMIN_HOSTS',
    list(253),
    [],
    'More host names that the admin port answers to, besides localhost, IP addresses and SIGNALBOX_ADMIN_HOST.',
  ),
  adminPayloadBytes: setting(
    'SIGNALBOX_ADMIN_PAYLOAD_BYTES',
    bytes(0, 64 * KiB),
    0,
    'Bytes of a message that an operator who asks for payloads may see. 0: none, and asking is refused.',
  ),
  adminFollowers: setting(
    'SIGNALBOX_ADMIN_FOLLOWERS',
    count(1, 1000),
    10,
    'Operators who follow somebody by this node at a time; above: 429.',
  ),
  adminFollowQueue: setting(
    'SIGNALBOX_ADMIN_FOLLOW_QUEUE',
    count(10, 100_000),
    1000,
    'Happenings that wait for one operator who follows; above: left out, and their number told.',
  ),
  adminLookupMax: setting(
    'SIGNALBOX_ADMIN_LOOKUP_MAX',
    count(1, 10_000),
    200,
    'Connections that one node names when an operator looks somebody up.',
  ),
} as const satisfies Record<string, Setting<unknown>>;
