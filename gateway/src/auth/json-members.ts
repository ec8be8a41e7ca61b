/** Cuts JSON at its top level and keeps the text of each part, which JSON.parse would turn into a rounded number. */

/**
 * Name and text of each member of a JSON object, in order, repeated names included.
 * @throws {SyntaxError} when `json` is not one JSON object.
 */
export function members(json: string): [name: string, text: string][] {
  const parts = cut(json, '{');
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < parts.length; i += 2) {
    pairs.push([JSON.parse(parts[i] ?? '') as string, parts[i + 1] ?? '']);
  }
  return pairs;
}

/**
 * Text of each element of a JSON array, in order.
 * @throws {SyntaxError} when `json` is not one JSON array.
 */
export function elements(json: string): string[] {
  return cut(json, '[');
}

/** What stands between the separators of the outermost level. */
function cut(json: string, open: '{' | '['): string[] {
  // Proves the syntax, so that the scan below needs to know nothing but depth and strings.
  JSON.parse(json);
  const text = json.trim();
  if (!text.startsWith(open)) throw new SyntaxError(`JSON must begin with ${open}`);
  const parts: string[] = [];
  let depth = 0;
  let start = 1;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '"') i = endOfString(text, i);
    else if (char === '{' || char === '[') depth++;
    else if (char === '}' || char === ']') depth--;
    else if (depth === 1 && (char === ',' || (char === ':' && open === '{'))) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  const last = text.slice(start, -1).trim();
  if (last !== '') parts.push(last);
  return parts;
}

/** Index of the closing quote of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i;
}
