import { ackStatuses, type ServiceMessage, type ServiceMessageOf } from '@signalbox/app-sdk/protocol';

/** The answer to a question for the members of a group. */
export function answerMembers({ ackId }: ServiceMessageOf<'GroupMemberQuery'>): ServiceMessage {
  const message = 'Group members cannot be listed by this gateway.';
  return { kind: 'Ack', ackId, status: ackStatuses.internalServerError, message };
}
