/** The protocol's own parameters are found in any case; the app's are carried untouched (client-transports, 2.1). */

/** Values of a parameter, in order. */
export function parameters(query: URLSearchParams, name: string): string[] {
  const values: string[] = [];
  for (const [key, value] of query) if (key.toLowerCase() === name) values.push(value);
  return values;
}

/**
 * The query as an app may see it: as sent, but without the token and without the connection token, which is the last `id`;
 * one before it is the app's own.
 */
export function withoutSecrets(queryText: string): string {
  const parts = queryText.split('&');
  const names = parts.map(nameOf);
  const id = names.lastIndexOf('id');
  return parts.filter((_, i) => names[i] !== 'access_token' && i !== id).join('&');
}

/** Read as {@link parameters} reads it, so that an escaped name does not carry a secret past this. */
function nameOf(part: string): string | undefined {
  const [name] = new URLSearchParams(part).keys();
  return name?.toLowerCase();
}
