import { ackStatuses, type ServiceMessage, type ServiceMessageOf } from '@signalbox/app-sdk/protocol';

/** Access keys are handed out only where app servers authenticate with Entra ID (service protocol, 4.4): not here. */
export function answerAccessKey(): ServiceMessage {
  return {
    kind: 'AccessKeyResponse',
    errorType: 'NotSupported',
    errorMessage: 'This gateway hands out no access keys: put AccessKey into the connection string.',
  };
}

/** No client of this gateway has a login that can be read or renewed over a link (service protocol, 9.11). */
export function answerLogin({ ackId }: ServiceMessageOf<'RefreshAuth' | 'GetConnectionClaims'>): ServiceMessage {
  return { kind: 'Ack', ackId, status: ackStatuses.notFound, message: 'The login of a client cannot be changed here.' };
}
