import type { Address } from '../protocol/address.ts';
import type { Happening } from '../protocol/happening.ts';

/** A line of the stream of happenings: one of a node, or of the stream itself. */
type Line =
  | Happening
  | { readonly event: 'following'; readonly at: number; readonly hub: string; readonly of: Address }
  | { readonly event: 'lost'; readonly at: number; readonly count: number };

const eventChars = 9;
const shownId = 8;

/** A happening for people: the time, what, who and the facts; in one line but for a payload. */
export function happeningLine(given: Readonly<Record<string, unknown>>): string {
  const line = given as unknown as Line;
  const time = new Date(line.at).toISOString().slice(11, 23);
  const payload = 'payload' in line && line.payload !== undefined ? `\n    ${printable(line.payload.text)}` : '';
  return `${time}  ${line.event.padEnd(eventChars)} ${printable(whatOf(line))}${payload}`;
}

function whatOf(line: Line): string {
  if (line.event === 'following') return `${whomOf(line.of)} of ${line.hub === '' ? 'every hub' : `hub ${line.hub}`}`;
  if (line.event === 'lost') return `${line.count} happenings were left out: too many at once`;
  if (line.event === 'sent') return `${line.hub}  to ${whomOf(line.to)}, ${line.receivers} here, ${line.bytes} bytes`;
  return `${line.hub}  ${line.user ?? 'anonymous'} (${line.connection.slice(0, shownId)}…)  ${factsOf(line)}`;
}

function factsOf(line: Exclude<Happening, { event: 'sent' }>): string {
  switch (line.event) {
    case 'opened':
      return `${line.transport}, ${line.protocol}`;
    case 'closed':
      return `${line.reason}, after ${line.seconds} s`;
    case 'refused':
      return line.reason;
    case 'joined':
    case 'left':
      return `group ${line.group}`;
    default:
      return `${line.messages.join(', ')}, ${line.bytes} bytes`;
  }
}

function whomOf(of: Address): string {
  switch (of.kind) {
    case 'all':
      return 'everybody';
    case 'group':
      return `group ${of.group}`;
    case 'user':
      return `user ${of.user}`;
    case 'connection':
      return `connection ${of.connection}`;
    case 'users':
      return `${of.users.length} users`;
    case 'connections':
      return `${of.connections.length} connections`;
  }
}

/** Names and payloads come from outside: what would move the cursor or colour a terminal is shown, not done. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (one) => JSON.stringify(one).slice(1, -1).replace('\x7f', '\\u007f'));
}
