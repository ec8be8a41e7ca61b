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

/** Places in error texts. */
const listed = { all: 'a hub', group: 'a group', user: 'a user', connection: 'a connection' } as const;

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

/** An unknown group is an answer; any other 404 means that the service has no such operation. */
async function ask(door: RestDoor, call: RestCall, what: string, signal: AbortSignal | undefined): Promise<RestAnswer> {
  try {
    return await door.call(call, signal && { signal });
  } catch (error) {
    if (!(error instanceof RestError) || error.status !== 404) throw error;
    throw new SignalboxError('ERR_NOT_SUPPORTED', `${what} is not offered by this service (${error.message})`, {
      cause: error,
    });
  }
}

/** How many connections there are at a place. Throws as `members` does. */
export async function count(door: RestDoor, calls: RestCalls, spot: Spot): Promise<number> {
  const { body } = await ask(door, calls.count(spot), 'connections.count', undefined);
  const found = readCount(body);
  if (found !== undefined) return found;
  throw new SignalboxError('ERR_UNAVAILABLE', 'countConnections: the answer must be { count }');
}

function readCount(body: string): number | undefined {
  try {
    const { count: found } = JSON.parse(body) as { count?: unknown };
    return typeof found === 'number' ? found : undefined;
  } catch {
    // No JSON object: the caller says what it should have been.
    return undefined;
  }
}

/**
 * The connections at a place, page after page; an unknown group has none. Throws what the door throws, ERR_NOT_SUPPORTED where
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
    const call = calls.members(spot, pageSize, query);
    const page = readPage(await ask(door, call, `connections.list of ${listed[spot.place]}`, signal));
    yield* page.members;
    query = page.next;
    if (query !== undefined && query === before) throw malformedPage();
  } while (query !== undefined);
}
