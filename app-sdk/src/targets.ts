import { type Address, type CheckedAddress, checkAddress, checkExcept, checkId, describe } from './address.ts';
import type { HubContract, SingleTarget, Target } from './contract.ts';
import type { CallOptions, HubClients } from './hub-context.ts';

/** What targets need of a door: a checked send to an address, and a question to one connection. */
export interface Sender {
  send(to: CheckedAddress, target: string, args: readonly unknown[], options?: CallOptions): Promise<void>;
  invoke(connectionId: string, target: string, args: readonly unknown[], options?: CallOptions): Promise<unknown>;
}

type Method = (...args: unknown[]) => unknown;

/** More names than any contract has; a program that makes names up must not fill the memory with them. */
const maxCachedMethods = 1000;

/**
 * `await` asks for `then`, `JSON.stringify` for `toJSON`: neither may become a send. Nor may `invoke` where many would be
 * asked.
 */
const unreachable = ['then', 'toJSON', 'invoke'];

/** The methods of one target, made at first use and kept. */
function methodsOf(make: (name: string) => Method, own: Readonly<Record<string, Method>>): object {
  const made = new Map<string, Method>(Object.entries(own));
  const get = (_target: object, name: string | symbol): Method | undefined => {
    if (typeof name === 'symbol') return undefined;
    const known = made.get(name);
    if (known !== undefined) return known;
    if (unreachable.includes(name)) return undefined;
    const method = make(name);
    if (made.size < maxCachedMethods) made.set(name, method);
    return method;
  };
  return new Proxy(Object.freeze(Object.create(null) as object), { get });
}

/** A method name as the wire takes it. Throws `TypeError`. */
export function checkTarget(value: unknown): string {
  if (typeof value !== 'string' || value === '') {
    throw new TypeError(`"target" must be the name of a client method, got ${describe(value)}`);
  }
  return value;
}

/** `clients` of a hub, over any door. The members throw `TypeError` for ids and names that no service takes. */
export function createClients<C extends HubContract>(sender: Sender): HubClients<C> {
  const target = (address: Address): Target<C> => {
    const to = checkAddress(address);
    const method =
      (name: string): Method =>
      (...args) =>
        sender.send(to, name, args);
    return methodsOf(method, { send: sendByName(sender, to) }) as Target<C>;
  };
  const single = (connection: string, options?: CallOptions): SingleTarget<C> => {
    const to = checkAddress({ connection: checkId(connection, 'connection') });
    const method =
      (name: string): Method =>
      (...args) =>
        sender.send(to, name, args);
    const invoke: Method = (name, ...args) => sender.invoke(connection, name as string, args, options);
    return methodsOf(method, { send: sendByName(sender, to), invoke }) as SingleTarget<C>;
  };
  return {
    all: target({ all: true }),
    allExcept: (connectionIds) => target({ all: true, except: checkExcept(connectionIds) }),
    client: single,
    clients: (connections) => target({ connections }),
    group: (group) => target({ group }),
    groups: (groups) => target({ groups }),
    groupExcept: (group, connectionIds) => target({ group, except: checkExcept(connectionIds) }),
    user: (user) => target({ user }),
    users: (users) => target({ users }),
  };
}

function sendByName(sender: Sender, to: CheckedAddress): Method {
  return (name, ...args) => sender.send(to, name as string, args);
}
