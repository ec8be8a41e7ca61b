/** What a webhook is about: the parts that templates are matched with, and that their URLs are made of. */
export interface WebhookTopic {
  /** The full name, lower-cased. */
  readonly hub: string;
  readonly category: 'connections' | 'messages';
  /** `connected`, `disconnected`, or the target of an invocation as the client wrote it. */
  readonly event: string;
}

/** One upstream: which webhooks it takes, and where they go. Made by `parseUpstream`. */
export interface Template {
  /** Scheme, host and port: they hold no placeholder, so that no client chooses where a webhook goes. */
  readonly origin: string;
  /** Path and query, with placeholders. */
  readonly path: string;
  /** Lower-cased hub names. */
  readonly hub: Pattern;
  readonly category: Pattern;
  /** Event names, exact. */
  readonly event: Pattern;
}

/** Which names match: every one, or those in the set. */
export type Pattern = 'every' | ReadonlySet<string>;

/** The names that stand in braces. */
export const placeholders = ['hub', 'category', 'event'] as const;

/**
 * A pattern as it is configured (section 3): `*`, or names between commas; a `*` among them matches all. Absent: all;
 * null: none.
 */
export function parsePattern(text: string | null | undefined): Pattern {
  if (text === undefined) return 'every';
  const names = (text ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return names.includes('*') ? 'every' : new Set(names);
}

function has(pattern: Pattern, name: string): boolean {
  return pattern === 'every' || pattern.has(name);
}

/** Is any webhook of this hub taken? */
export function takesHub(templates: readonly Template[], hub: string): boolean {
  return templates.some((template) => has(template.hub, hub));
}

/** The first template that takes it. */
export function firstMatch(
  templates: readonly Template[],
  { hub, category, event }: WebhookTopic,
): Template | undefined {
  return templates.find(
    (template) => has(template.hub, hub) && has(template.category, category) && has(template.event, event),
  );
}

/**
 * Path and query of a webhook. `undefined` when the event has no form in a URL: halves of a character, or a dot segment,
 * which would be taken for a step up.
 */
export function expand({ path }: Template, topic: WebhookTopic): string | undefined {
  if (topic.event === '.' || topic.event === '..' || !topic.event.isWellFormed()) return undefined;
  return path.replace(/\{(hub|category|event)\}/g, (_, name: (typeof placeholders)[number]) => escaped(topic[name]));
}

/** All but letters, digits and `-._~`, as RFC 3986 has it; `encodeURIComponent` leaves five more. */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
