/** What a token is meant for: scheme and port do not count, path and hub do (architecture, section 6). */

/** What a request needs its token to be meant for. */
export interface Resource {
  /** As in the request, not decoded. */
  readonly path: string;
  /** The `hub` that must stand in the audience's query; undefined: its query does not count. */
  readonly hub: string | undefined;
  /** Lower-case host names, one of which must stand in the audience; empty: any. */
  readonly hosts: readonly string[];
}

const url = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?/i;

/** The part of the audience that does not fit to the resource; undefined when it is meant for it. */
export function audienceFault(audience: string, resource: Resource): 'form' | 'host' | 'path' | 'hub' | undefined {
  const match = url.exec(audience);
  if (match === null) return 'form';
  const [, authority = '', path = '', query = ''] = match;
  const host = authority.replace(/:\d*$/, '').toLowerCase();
  if (resource.hosts.length > 0 && !resource.hosts.includes(host)) return 'host';
  if (!samePath(path, resource.path)) return 'path';
  if (resource.hub === undefined) return undefined;
  return new URLSearchParams(query).get('hub')?.toLowerCase() === resource.hub ? undefined : 'hub';
}

/** Segment by segment after decoding, so that `%2F` inside a name never becomes a border. A trailing slash does not count. */
function samePath(a: string, b: string): boolean {
  if (a === b && !a.includes('%')) return true;
  const left = segments(a);
  const right = segments(b);
  if (left === undefined || right === undefined) return false;
  return left.length === right.length && left.every((segment, i) => segment === right[i]);
}

/** Undefined when an escape is broken. The name of a hub is the same in any case. */
function segments(path: string): string[] | undefined {
  const raw = path.endsWith('/') ? path.slice(0, -1) : path;
  try {
    const decoded = raw.split('/').map(decodeURIComponent);
    const hub = hubIndex(decoded);
    return decoded.map((segment, i) => (i === hub ? segment.toLowerCase() : segment));
  } catch {
    // A broken escape: no path that a request could have.
    return undefined;
  }
}

/** Where the hub stands in `/api/hubs/{hub}` and `/api/v1/hubs/{hub}`: behind the first `hubs`, for a group may be called that too. */
function hubIndex(segments: readonly string[]): number {
  return segments[1] === 'api' ? segments.indexOf('hubs') + 1 : -1;
}
