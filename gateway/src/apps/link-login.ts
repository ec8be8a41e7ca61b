import { ackStatuses, type ServiceMessage, type ServiceMessageOf, writeClaims } from '@signalbox/app-sdk/protocol';
import { GatewayError } from '../errors.ts';
import type { AskingLink } from './link-results.ts';

type LoginMessage = ServiceMessageOf<'RefreshAuth' | 'GetConnectionClaims'>;

/** The answer to a question for the claims of a client, or for the renewal of its login (service protocol, 9.11). */
export async function answerLogin(message: LoginMessage, link: AskingLink): Promise<ServiceMessage> {
  const { ackId } = message;
  try {
    const payload = writeClaims(await loginOf(message, link));
    return { kind: 'Ack', ackId, status: ackStatuses.ok, message: '', payload };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { kind: 'Ack', ackId, status: statusOf(error), message: error.message };
  }
}

function loginOf(
  message: LoginMessage,
  { hub, host, server }: AskingLink,
): ReturnType<AskingLink['host']['logins']['change']> {
  const connection = host.connectionOf(message.connectionToken, hub);
  if (connection === undefined) throw new GatewayError('connection_unknown', 'no such connection token');
  const change =
    message.kind === 'RefreshAuth'
      ? { claims: message.claims, expires: message.expireTime?.getTime() }
      : { claims: [], expires: undefined };
  return host.logins.change({ hub, connection, server, ...change });
}

function statusOf({ code }: GatewayError): number {
  if (code === 'connection_unknown') return ackStatuses.notFound;
  return code === 'user_mismatch' ? ackStatuses.forbidden : ackStatuses.timeout;
}
