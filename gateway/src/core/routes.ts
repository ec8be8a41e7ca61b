import type { Address } from '../protocol/address.ts';
import type { AppCommand, Payload, Send } from '../protocol/command.ts';
import type { PendingJoins } from './pending-joins.ts';
import type { Topics } from './topics.ts';

/** Above so many users or connections a list travels once, on the hub's `all` topic. */
const longList = 64;

/** The topic whose watchers hold everybody the command is about. */
export function topicOf(topics: Topics, command: AppCommand, joins: PendingJoins): string {
  switch (command.kind) {
    case 'send':
    case 'close':
      return topicOfAddress(topics, command.hub, command.to, joins);
    case 'exists':
      return topicOfAddress(topics, command.hub, command.at, joins);
    case 'join':
    case 'leave':
      return topicOfConnection(topics, command.hub, command.connection);
    case 'joinUser':
    case 'leaveUser':
    case 'userInGroup':
      return topics.personal(command.hub, topics.tagOfUser(command.hub, command.user));
  }
}

function topicOfAddress(topics: Topics, hub: string, to: Address, joins: PendingJoins): string {
  switch (to.kind) {
    case 'group':
      return joins.has(hub, to.group) ? topics.all(hub) : topics.group(hub, to.group);
    case 'user':
      return topics.personal(hub, topics.tagOfUser(hub, to.user));
    case 'connection':
      return topicOfConnection(topics, hub, to.connection);
    default:
      return topics.all(hub);
  }
}

/** An id that no node of this service made has no tag: nobody watches its own text, so it reaches nobody. */
function topicOfConnection(topics: Topics, hub: string, connection: string): string {
  return topics.personal(hub, topics.tagOfConnection(connection) ?? 'unknown');
}

/** A short list of users or connections becomes one send for each, to the nodes that hold them only. */
export function expand(command: Send): readonly Send[] {
  const { to } = command;
  if (to.kind === 'users' && to.users.length <= longList) {
    return to.users.map((user) => ({ ...command, to: { kind: 'user', user } }));
  }
  if (to.kind === 'connections' && to.connections.length <= longList) {
    return to.connections.map((connection) => ({ ...command, to: { kind: 'connection', connection } }));
  }
  return [command];
}

/** Bytes of what is to be delivered. */
export function payloadBytes(payload: Payload): number {
  if (payload.kind === 'convert') return payload.json.length;
  let bytes = 0;
  for (const frame of payload.frames.values()) bytes += frame.length;
  return bytes;
}
