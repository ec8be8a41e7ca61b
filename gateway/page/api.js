const key = 'signalbox-token';

/** What the node refused, or that it does not answer (`status` 0). */
export class Refusal extends Error {
  constructor(status, error, message) {
    super(message);
    this.status = status;
    /** Code of the refusal. */
    this.error = error;
  }
}

/** Kept for this tab only: it goes with the tab, and is sent to nobody but in the header that this page writes. */
export const token = {
  get: () => sessionStorage.getItem(key) ?? '',
  set: (value) => sessionStorage.setItem(key, value),
  forget: () => sessionStorage.removeItem(key),
};

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, {
      ...options,
      headers: { ...options.headers, authorization: `Bearer ${token.get()}` },
      cache: 'no-store',
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Refusal(0, 'unreachable', 'This node does not answer.');
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => ({}));
  throw new Refusal(response.status, body.error ?? 'unknown', body.message ?? `HTTP ${response.status}`);
}

/** Whom a look-up or a follower means, as the query that the node reads. */
export function queryOf({ hub, kind, name }, more = {}) {
  const query = new URLSearchParams({ hub, ...more });
  if (kind !== 'all') query.set(kind, name);
  return query;
}

/** The picture of the cluster. */
export async function picture() {
  return (await ask('/operators/picture')).json();
}

/** Who is there. */
export async function lookup(target) {
  return (await ask(`/operators/lookup?${queryOf(target)}`)).json();
}

async function post(path, body) {
  const headers = { 'content-type': 'application/json' };
  return (await ask(path, { method: 'POST', headers, body })).json();
}

/** Sends a test message. `argumentsJson` is the text of a JSON array, which is sent as it stands: no number changes. */
export function send({ hub, kind, name }, target, argumentsJson) {
  const to = kind === 'all' ? {} : { [kind]: name };
  const head = JSON.stringify({ hub, ...to, target });
  return post('/operators/send', `${head.slice(0, -1)},"arguments":${argumentsJson}}`);
}

/** Closes a connection. */
export function close(hub, connection, reason) {
  return post('/operators/close', JSON.stringify({ hub, connection, reason }));
}

/**
 * Follows until the signal aborts or the node ends it; `heard` gets each line.
 * @param {(line: Record<string, any>) => void} heard
 */
export async function follow(target, payloads, signal, heard) {
  const query = queryOf(target, payloads ? { payloads: 'true' } : {});
  const response = await ask(`/operators/follow?${query}`, { signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) heard(JSON.parse(line));
  }
}
