import type { ServiceMessage, ServiceMessageKind, ServiceMessageOf } from '@signalbox/app-sdk/protocol';
import { answerAccessKey, answerLogin } from './link-auth.ts';
import type { LinkClients } from './link-clients.ts';
import { isQuestion, isSend } from './link-commands.ts';
import { answerMembers } from './link-members.ts';
import { answerPing, type PingedLink } from './link-pings.ts';
import type { LinkRequests } from './link-requests.ts';
import { answerInvocation } from './link-results.ts';

/** The parts of a link that messages are for. */
export interface LinkEars {
  readonly clients: LinkClients;
  readonly requests: LinkRequests;
  readonly pinged: PingedLink;
  say(message: ServiceMessage): void;
}

type Handlers = {
  readonly [K in ServiceMessageKind]?: (message: ServiceMessageOf<K>, ears: LinkEars) => void;
};

const handlers: Handlers = {
  Ping: (ping, { pinged }) => answerPing(ping, pinged),
  ConnectionData: ({ connectionId, payload }, { clients }) => clients.fromApp(connectionId, payload),
  /** Also of a client that another link carries, whose app server is then told (service protocol, 11.2). */
  CloseConnection(message, { clients, requests }) {
    if (!clients.closedByApp(message.connectionId, message.errorMessage)) requests.ask(message);
  },
  ClientInvocation: (message, { say }) => say(answerInvocation(message)),
  GroupMemberQuery: (message, { say }) => say(answerMembers(message)),
  AccessKeyRequest: (_, { say }) => say(answerAccessKey()),
  RefreshAuth: (message, { say }) => say(answerLogin(message)),
  GetConnectionClaims: (message, { say }) => say(answerLogin(message)),
};

/** Acts on a message of a handshaken link. What only the service says is passed over when an app server says it. */
export function handle(message: ServiceMessage, ears: LinkEars): void {
  if (isSend(message)) {
    ears.requests.send(message);
    return;
  }
  const handler = handlers[message.kind] as ((message: ServiceMessage, ears: LinkEars) => void) | undefined;
  if (handler !== undefined) handler(message, ears);
  else if (isQuestion(message)) ears.requests.ask(message);
}
