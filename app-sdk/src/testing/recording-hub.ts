import { type Address, checkAddress, checkGroup, checkId } from '../address.ts';
import type { AnyContract, HubContract, Message } from '../contract.ts';
import { ClientResultError, SignalboxError } from '../errors.ts';
import type { BatchResult, HubContext } from '../hub-context.ts';
import { hubName } from '../hub-name.ts';
import type { NegotiateResponse } from '../negotiate.ts';
import { quiet, readSend, type Send } from '../sends.ts';
import { checkTarget, createClients } from '../targets.ts';

/** A `HubContext` that remembers what was sent through it. */
export type RecordingHub<C extends HubContract> = HubContext<C> & {
  /** In the order sent. A plain string as recipient stands as `{ user }`, absent arguments as `[]`. */
  readonly sent: readonly (Message<C> & { to: Address })[];
};

interface Sent {
  readonly to: Address;
  readonly target: string;
  readonly arguments: readonly unknown[];
}

async function* nobody(): AsyncGenerator<never> {
  // Nobody is connected to a recording hub.
}

async function record(sent: Sent[], read: () => Send): Promise<void> {
  const { to, target, args } = read();
  sent.push({ to: to.address, target, arguments: [...args] });
}

async function recordBatch(sent: Sent[], items: Iterable<{ to: unknown }>): Promise<BatchResult> {
  const failed: BatchResult['failed'] = [];
  let index = 0;
  for (const item of items) {
    try {
      await record(sent, () => readSend(item.to, item, []));
    } catch (cause) {
      failed.push({ index, error: new SignalboxError('ERR_INVALID_REQUEST', String(cause), { cause }) });
    }
    index++;
  }
  return { sent: index - failed.length, failed };
}

async function checked(...ids: string[]): Promise<void> {
  for (const id of ids) checkId(id, 'id');
}

/**
 * A HubContext that only writes down what was sent, for code that sends. It checks addresses and names as the others
 * do. Nobody is connected: `exists` and `isInGroup` are false, `count` is 0, `invoke` rejects with ERR_CLIENT_GONE.
 */
export function recordingHub<C extends HubContract = AnyContract>(name = 'hub'): RecordingHub<C> {
  const sent: Sent[] = [];
  const full = hubName(name).full;
  const url = `http://localhost/client/?hub=${full}`;
  const response: NegotiateResponse = { negotiateVersion: 0, url, accessToken: 'recorded', availableTransports: [] };
  const hub = {
    name: full,
    sent,
    clients: createClients<C>({
      send: (to, target, args) => quiet(record(sent, () => ({ to, target: checkTarget(target), args }))),
      async invoke(connectionId) {
        throw new ClientResultError('ERR_CLIENT_GONE', 'nobody is connected to a recording hub', { connectionId });
      },
    }),
    groups: { ...groupMethods, removeFromAllGroups: (connectionId: string) => checked(connectionId) },
    userGroups: { ...groupMethods, removeFromAllGroups: checked, isInGroup: async () => false },
    connections: {
      exists: async () => false,
      close: async (where: Address) => void checkAddress(where),
      count: async () => 0,
      list: () => nobody(),
    },
    send: (to: unknown, message: unknown, ...rest: unknown[]) => quiet(record(sent, () => readSend(to, message, rest))),
    sendBatch: (items: Iterable<{ to: unknown }>) => recordBatch(sent, items),
    negotiate: async () => response,
  };
  return hub as unknown as RecordingHub<C>;
}

const groupMethods = {
  async addToGroup(id: string, group: string): Promise<void> {
    await checked(id);
    checkGroup(group);
  },
  async removeFromGroup(id: string, group: string): Promise<void> {
    await checked(id);
    checkGroup(group);
  },
};
