import { hubProtocols } from '@signalbox/app-sdk/protocol';
import type { Address } from '../../src/protocol/address.ts';
import type { Payload, Send } from '../../src/protocol/command.ts';

/** An invocation of `say` with one argument, ready in both hub protocols. */
export function saying(argument: unknown): Payload {
  const invocation = { kind: 'invocation', target: 'say', arguments: [argument] } as const;
  return {
    kind: 'ready',
    frames: new Map([...hubProtocols].map(([name, protocol]) => [name, protocol.write(invocation)])),
  };
}

/** A JSON invocation, framed, from which other forms are made. */
export function toConvert(argumentsJson: string): Payload {
  return { kind: 'convert', json: Buffer.from(`{"type":1,"target":"say","arguments":${argumentsJson}}\u001e`) };
}

/** A send in the hub `chat`. */
export function sendTo(to: Address, argument: unknown, more: Partial<Send> = {}): Send {
  return { kind: 'send', hub: 'chat', to, exceptConnections: [], exceptUsers: [], payload: saying(argument), ...more };
}

/** The addresses, short to write. */
export const to = {
  all: { kind: 'all' },
  group: (group: string) => ({ kind: 'group', group }),
  user: (user: string) => ({ kind: 'user', user }),
  connection: (connection: string) => ({ kind: 'connection', connection }),
  users: (users: string[]) => ({ kind: 'users', users }),
  connections: (connections: string[]) => ({ kind: 'connections', connections }),
} as const satisfies Record<string, Address | ((name: never) => Address)>;
