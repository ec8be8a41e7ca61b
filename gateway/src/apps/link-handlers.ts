import type { ServiceMessage, ServiceMessageKind, ServiceMessageOf } from '@signalbox/app-sdk/protocol';
import type { LinkClients } from './link-clients.ts';
import { isQuestion, isSend } from './link-commands.ts';
import { answerLogin } from './link-login.ts';
import { answerMembers } from './link-members.ts';
import { answerPing, type PingedLink } from './link-pings.ts';
import type { LinkRequests } from './link-requests.ts';
import { type AskingLink, completeInvocation, failInvocation, invokeClient } from './link-results.ts';

/** The parts of a link that messages are for. */
export interface LinkEars {
  readonly clients: LinkClients;
  readonly requests: LinkRequests;
  readonly pinged: PingedLink;
  /** For calls of clients with a result. */
  readonly asking: AskingLink;
  say(message: ServiceMessage): void;
  /** Takes care of what fails later. */
  later(work: Promise<void>): void;
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
  ClientInvocation: (message, { asking, later }) => later(invokeClient(message, asking)),
  ClientCompletion: (message, { asking }) => completeInvocation(message, asking),
  ErrorCompletion: (message, { asking }) => failInvocation(message, asking),
  GroupMemberQuery: (message, { asking, say, later }) => later(answerMembers(message, asking).then(say)),
  AccessKeyRequest: (_, { say }) => say(answerAccessKey()),
  RefreshAuth: (message, { asking, say, later }) => later(answerLogin(message, asking).then(say)),
  GetConnectionClaims: (message, { asking, say, later }) => later(answerLogin(message, asking).then(say)),
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

/** Access keys are handed out only where app servers authenticate with Entra ID (service protocol, 4.4): not here. */
function answerAccessKey(): ServiceMessage {
  return {
    kind: 'AccessKeyResponse',
    errorType: 'NotSupported',
    errorMessage: 'This gateway hands out no access keys: put AccessKey into the connection string.',
  };
}
