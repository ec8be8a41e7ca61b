import { GatewayError } from '../errors.ts';
import type { PathNames } from './rest-names.ts';
import { decodeOnce, quoted } from './rest-query.ts';
import type { Route, Style } from './rest-route.ts';
import { routes } from './rest-routes.ts';

/** The row that serves a request, or why none does. */
export type Match =
  | { readonly kind: 'found'; readonly route: Route; readonly style: Style; readonly names: PathNames }
  | {
      readonly kind: 'refused';
      readonly error: GatewayError;
      /** Methods that the path does have; `undefined` when the path is unknown. */
      readonly allow: readonly string[] | undefined;
    };

interface Compiled {
  readonly route: Route;
  /** A literal, lower-cased, or `{name}`. */
  readonly parts: readonly string[];
  readonly literals: number;
}

function compile(route: Route, path: string): Compiled {
  const parts = path.split('/').map((part) => (part.startsWith('{') ? part : part.toLowerCase()));
  return { route, parts, literals: parts.filter((part) => !part.startsWith('{')).length };
}

/** A template with more literals comes first, so that a name never hides an operation. */
const templates: readonly Compiled[] = routes
  .flatMap((route) => route.paths.map((path) => compile(route, path)))
  .sort((left, right) => right.literals - left.literals);

/** Templates by their number of segments: each request would go through all of them otherwise. */
const byLength: readonly (readonly Compiled[])[] = Array.from(
  { length: Math.max(...templates.map(({ parts }) => parts.length)) + 1 },
  (_, length) => templates.filter(({ parts }) => parts.length === length),
);
const none: readonly Compiled[] = [];

/**
 * Finds the row for a method and an undecoded path. Never throws. Each segment is decoded once, after the path was cut at its
 * slashes, so a name may hold `/` and an operation may be written `%3Asend` (REST reference, 2.1).
 */
export function matchRoute(method: string, path: string): Match {
  try {
    return match(method, path);
  } catch (error) {
    if (error instanceof GatewayError) return { kind: 'refused', error, allow: undefined };
    throw error;
  }
}

function match(method: string, path: string): Match {
  const [root, ...rest] = path
    .split('/')
    .slice(1)
    .map((segment) => decodeOnce(segment, 'a segment of the path'));
  if (root?.toLowerCase() !== 'api') return unknown(path);
  const v1 = rest[0]?.toLowerCase() === 'v1';
  const { found, segments } = candidates(v1 ? rest.slice(1) : rest);
  if (found.length === 0) return unknown(path);
  const served = found.find(({ route }) => route.methods.includes(method));
  if (served === undefined) return wrongMethod(method, found);
  return { kind: 'found', route: served.route, style: v1 ? 'v1' : 'dated', names: namesOf(served.parts, segments) };
}

/** All templates of this form. An empty last segment may be an empty name; only when it is none, the slash was one too many. */
function candidates(segments: readonly string[]): { found: readonly Compiled[]; segments: readonly string[] } {
  const found = sameForm(segments);
  if (found.length > 0 || segments.at(-1) !== '') return { found, segments };
  const shorter = segments.slice(0, -1);
  return { found: sameForm(shorter), segments: shorter };
}

function sameForm(segments: readonly string[]): readonly Compiled[] {
  const lower = segments.map((segment) => segment.toLowerCase());
  const sameLength = byLength[lower.length] ?? none;
  return sameLength.filter(({ parts }) => parts.every((part, at) => part.startsWith('{') || part === lower[at]));
}

function namesOf(parts: readonly string[], segments: readonly string[]): PathNames {
  const names: Record<string, string> = {};
  for (const [at, part] of parts.entries()) {
    if (part.startsWith('{')) names[part.slice(1, -1)] = segments[at] ?? '';
  }
  return names;
}

function unknown(path: string): Match {
  return refused(new GatewayError('route_unknown', `no operation has the path ${quoted(path)}`), undefined);
}

function wrongMethod(method: string, found: readonly Compiled[]): Match {
  const allow = [...new Set(found.flatMap(({ route }) => route.methods))];
  const text = `the method must be one of ${allow.join(', ')}, got ${quoted(method)}`;
  return refused(new GatewayError('method_not_allowed', text), allow);
}

function refused(error: GatewayError, allow: readonly string[] | undefined): Match {
  return { kind: 'refused', error, allow };
}
