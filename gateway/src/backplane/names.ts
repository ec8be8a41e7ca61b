import { createHash } from 'node:crypto';

/** Names longer than this, in bytes of UTF-8, stand in topics and keys as their hash. */
const longest = 64;

/**
 * A name as it stands in topics and Redis keys: letters, digits, `_`, `.` and `-` as they are, all else percent-encoded,
 * so that no name can forge a topic or key (`:` and braces never pass). A long name becomes `~` and its SHA-256.
 */
export function encodeName(name: string): string {
  if (Buffer.byteLength(name) > longest) return `~${createHash('sha256').update(name).digest('base64url')}`;
  return encodeURIComponent(name.toWellFormed()).replace(/[!~*'()]/g, percent);
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
