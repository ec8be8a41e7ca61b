import type { Spot } from './address.ts';
import { RestError, SignalboxError } from './errors.ts';
import type { RestCalls } from './rest-calls.ts';
import type { RestCall, RestDoor } from './rest-door.ts';
import type { RestAnswer } from './rest-exchange.ts';

/** A connection of a group; `userId` where it has a user. */
export interface Member {
  connectionId: string;
  userId?: string;
}

interface Page {
  members: Member[];
  next: string | undefined;
}

function malformedPage(cause?: unknown): SignalboxError {
  const text = 'listMembers: a page must be { value: [{ connectionId }], nextLink }';
  return new SignalboxError('ERR_UNAVAILABLE', text, { cause });
}

function readMember(value: unknown): Member {
  const { connectionId, userId } = (value ?? {}) as { connectionId?: unknown; userId?: unknown };
  if (typeof connectionId !== 'string') throw malformedPage();
  return { connectionId, ...(typeof userId === 'string' && { userId }) };
}

/** Of the next link only the query counts: its host may be the public one, and a token must not go elsewhere. */
function nextQuery(link: unknown): string | undefined {
  if (typeof link !== 'string' || link === '') return undefined;
  const split = link.indexOf('?');
  if (split < 0) throw malformedPage();
  return link.slice(split + 1);
}

function readPage(answer: RestAnswer): Page {
  if (answer.status === 404) return { members: [], next: undefined };
  let body: { value?: unknown; nextLink?: unknown };
  try {
    body = JSON.parse(answer.body) as typeof body;
  } catch (cause) {
    throw malformedPage(cause);
  }
  if (!Array.isArray(body?.value)) throw malformedPage();
  return { members: body.value.map(readMember), next: nextQuery(body.nextLink) };
}

/** An unknown group is an answer; any other 404 means that the service has no such list. */
async function ask(door: RestDoor, call: RestCall, signal: AbortSignal | undefined): Promise<RestAnswer> {
  try {
    return await door.call(call, signal && { signal });
  } catch (error) {
    if (!(error instanceof RestError) || error.status !== 404) throw error;
    const text = `connections.list of a group is not offered by this service (${error.message})`;
    throw new SignalboxError('ERR_NOT_SUPPORTED', text, { cause: error });
  }
}

/**
 * The members of a group, page after page; an unknown group has none. Throws what the door throws, ERR_NOT_SUPPORTED where
 * there is no such list, and ERR_UNAVAILABLE for pages that break the form of the REST API, section 5.
 */
export async function* members(
  door: RestDoor,
  calls: RestCalls,
  spot: Spot,
  pageSize: number,
  signal?: AbortSignal,
): AsyncGenerator<Member> {
  let query: string | undefined;
  do {
    const before = query;
    const page = readPage(await ask(door, calls.members(spot, pageSize, query), signal));
    yield* page.members;
    query = page.next;
    if (query !== undefined && query === before) throw malformedPage();
  } while (query !== undefined);
}
