import { defineHub } from '@signalbox/app-sdk';
import { testHub } from '@signalbox/app-sdk/testing';
import { describe, expect, test, vi } from 'vitest';
import { planOf } from '../../src/hub/plan.ts';
import type { Options, Wild } from './host.ts';

const define = (options: object) => defineHub<Wild>({ name: 'chat', methods: {}, ...options } as Options as never);

const nothing = (): void => undefined;

describe('defineHub', () => {
  test.each([
    [{ name: '' }, '"hub" must be 1 to 128 characters, a letter and then letters, digits or _`,.[], got ""'],
    [{ methods: [] }, '"methods" must be an object, got an array'],
    [{ methods: { a: 1 } }, '"methods.a" must be a function, got 1'],
    [
      { methods: { sendMessage: nothing, sendmessage: nothing } },
      'methods "sendMessage" and "sendmessage" differ only by case',
    ],
    [{ authorize: { join: () => true } }, '"authorize" must name methods of the hub; it has no "join"'],
    [{ authorize: { '*': true } }, '"authorize.*" must be a function, got true'],
    [{ validate: { join: {} } }, '"validate" must name methods of the hub; it has no "join"'],
    [
      { methods: { a: nothing }, validate: { a: {} } },
      '"validate.a" must be a Standard Schema, got a value of type object',
    ],
    [{ filters: [1] }, '"filters[0]" must be a function, got 1'],
    [{ protocols: [] }, '"protocols" must name at least one hub protocol, got an array'],
    [{ protocols: ['xml'] }, '"protocols" must be of json, messagepack, got "xml"'],
    [{ parallelInvocations: 0 }, '"parallelInvocations" must be a whole number from 1 to 1000, got 0'],
    [{ keepAliveMs: 1.5 }, '"keepAliveMs" must be a whole number from 1 to 2147483647, got 1.5'],
    [{ onConnected: 1 }, '"onConnected" must be a function, got 1'],
    [{ authorise: {} }, 'defineHub has no option "authorise"'],
  ])('refuses %j', (options, message) => {
    expect(() => define(options)).toThrow(new TypeError(message));
  });

  test('keeps the name and the methods, and cannot be changed', () => {
    const methods = { join: () => 1 };
    const hub = define({ name: 'Chat', methods });
    expect([hub.name, hub.methods, Object.isFrozen(hub)]).toEqual(['Chat', methods, true]);
  });

  test('has the defaults of the official server', () => {
    const { maxMessageBytes, uploadBuffer, parallelInvocations, keepAliveMs, clientTimeoutMs, ...others } = planOf(
      define({}),
    );
    expect([maxMessageBytes, uploadBuffer, parallelInvocations]).toEqual([32_768, 10, 1]);
    expect([keepAliveMs, clientTimeoutMs, others.handshakeTimeoutMs]).toEqual([15_000, 30_000, 15_000]);
    expect([others.clientResultTimeoutMs, others.detailedErrors]).toEqual([30_000, false]);
    expect(others.protocols.map(({ name }) => name)).toEqual(['json', 'messagepack']);
  });

  test('of one copy of the package makes hubs that another copy runs', async () => {
    vi.resetModules();
    const copy = await import('@signalbox/app-sdk');
    expect(copy.defineHub).not.toBe(defineHub);
    const full = () => {
      throw new copy.HubException('full');
    };
    const definition = copy.defineHub<Wild>({ name: 'chat', methods: { join: () => 'joined', full } });
    await using hub = testHub<Wild>(definition);
    const client = await hub.connect({ protocol: 'messagepack' });
    expect(await client.invoke('join')).toBe('joined');
    await expect(client.invoke('full')).rejects.toThrow('HubException: full');
  });

  test('is the only maker of hubs that hosts run', () => {
    expect(() => planOf({ name: 'chat', methods: {} })).toThrow(
      new TypeError('a hub must come from defineHub, got a value of type object'),
    );
  });
});
