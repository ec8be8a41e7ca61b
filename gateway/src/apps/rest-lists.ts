import type { HttpRequest } from '../http.ts';
import type { Crowd } from '../protocol/inquiry.ts';
import type { RestCall } from './rest-names.ts';
import { originOf } from './rest-origin.ts';
import { jsonAnswer, type RestParts, type Success } from './rest-route.ts';

const mostPerPage = 200;
const usualPerPage = 100;
const largestTop = 2_147_483_647;

/**
 * One page of a list of connections (REST reference, section 5). The link to the next page is whole and may be followed as
 * it is, with a token for the same path; its `top` is what is left of the caller's.
 */
export async function listPage(
  call: RestCall,
  of: Crowd,
  { inquiries }: Pick<RestParts, 'inquiries'>,
  request: HttpRequest,
): Promise<Success> {
  const top = call.integer('top', 1, largestTop) ?? Number.POSITIVE_INFINITY;
  const size = call.integer('maxpagesize', 1, mostPerPage);
  const after = call.continuation();
  const { members, next } = await inquiries.list(call.hub, of, after, Math.min(size ?? usualPerPage, top));
  const left = top - members.length;
  const more = next !== undefined && left > 0;
  return jsonAnswer({ value: members, ...(more && { nextLink: linkTo(call, request, next, size, left) }) });
}

function linkTo(call: RestCall, request: HttpRequest, next: string, size: number | undefined, left: number): string {
  const query = new URLSearchParams();
  if (Number.isFinite(left)) query.set('top', String(left));
  if (size !== undefined) query.set('maxpagesize', String(size));
  query.set('continuationToken', continuationOf(next));
  for (const [name, value] of call.common()) query.set(name, value);
  return `${originOf(request)}${request.path}?${query}`;
}

/** The last id of a page as the token that opens the next one. */
function continuationOf(id: string): string {
  return Buffer.from(id).toString('base64url');
}
