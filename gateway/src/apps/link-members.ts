import { ackStatuses, type ServiceMessage, type ServiceMessageOf, writeMemberPage } from '@signalbox/app-sdk/protocol';
import { GatewayError } from '../errors.ts';
import type { AskingLink } from './link-results.ts';

/** Members in one answer at most (REST reference, section 5). */
const largestPage = 200;

/**
 * The answer to a question for the members of a group: a page of them, and where the next begins (service protocol,
 * 9.10). An unknown group is an empty page.
 */
export async function answerMembers(
  { ackId, group, maxPageSize, continuationToken }: ServiceMessageOf<'GroupMemberQuery'>,
  { hub, host }: Pick<AskingLink, 'hub' | 'host'>,
): Promise<ServiceMessage> {
  const max = Math.max(1, Math.min(maxPageSize ?? largestPage, largestPage));
  try {
    const { members, next } = await host.inquiries.list(hub, { kind: 'group', group }, continuationToken ?? '', max);
    const payload = writeMemberPage({ members, continuationToken: next });
    return { kind: 'Ack', ackId, status: ackStatuses.ok, message: '', payload };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { kind: 'Ack', ackId, status: ackStatuses.timeout, message: error.message };
  }
}
