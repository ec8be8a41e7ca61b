/** The protocol's own parameters are found in any case; the app's are carried untouched (client-transports, 2.1). */

/** Values of a parameter, in order. */
export function parameters(query: URLSearchParams, name: string): string[] {
  const values: string[] = [];
  for (const [key, value] of query) if (key.toLowerCase() === name) values.push(value);
  return values;
}

/** The query as the app may see it: as sent, but without the token. */
export function withoutToken(queryText: string): string {
  const parts = queryText.split('&');
  return parts.filter((part) => nameOf(part) !== 'access_token').join('&');
}

/** Read as the token itself is looked up, so that an escaped name does not carry a token past this. */
function nameOf(part: string): string | undefined {
  const [name] = new URLSearchParams(part).keys();
  return name?.toLowerCase();
}
