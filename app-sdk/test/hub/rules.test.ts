import { HubException, type HubFilter } from '@signalbox/app-sdk';
import { describe, expect, test } from 'vitest';
import { call, Host, type Options } from './host.ts';

/** Answers `id` 1 with the error that a method of this hub ends with. */
async function errorOf(options: Options, target = 'fail', args: readonly unknown[] = []): Promise<unknown> {
  const client = await new Host(options).connect();
  client.send(call(target, args, '1'));
  return ((await client.message()) as { error?: string }).error;
}

describe('authorize', () => {
  test('asks the rule for all first, then the own one, with the name as the contract spells it', async () => {
    const asked: unknown[] = [];
    const rule =
      (name: string) =>
      (_hub: unknown, { method, arguments: args }: { method: string; arguments: readonly unknown[] }) => {
        asked.push([name, method, args]);
        return true;
      };
    const options = { methods: { join: () => 1 }, authorize: { '*': rule('*'), join: rule('join') } } as Options;
    expect(await errorOf(options, 'JOIN', ['lobby'])).toBeUndefined();
    expect(asked).toEqual([
      ['*', 'join', ['lobby']],
      ['join', 'join', ['lobby']],
    ]);
  });

  test.each([[false], [async () => false], [1], [undefined]])('lets only true pass, not %s', async (answer) => {
    const rule = typeof answer === 'function' ? answer : () => answer;
    const ran: string[] = [];
    const methods = { join: () => ran.push('join') };
    const options = { methods, authorize: { '*': () => true, join: rule }, detailedErrors: true } as unknown as Options;
    expect(await errorOf(options, 'Join')).toBe("Failed to invoke 'Join' because user is unauthorized");
    expect(ran).toEqual([]);
  });

  test('that throws ends the call as an exception does', async () => {
    const rule = () => {
      throw new HubException('banned');
    };
    expect(await errorOf({ methods: { join: () => 1 }, authorize: { join: rule } } as Options, 'join')).toBe(
      "An unexpected error occurred invoking 'join' on the server. HubException: banned",
    );
  });
});

describe('validate', () => {
  const numbers = {
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: async (value: unknown) =>
        Array.isArray(value) && value.every((one) => typeof one === 'number')
          ? { value: value.map((one: number) => one * 2) }
          : { issues: [{ message: 'numbers only' }] },
    },
  };
  const options: Options = { methods: { add: (_hub, a: number, b: number) => a + b }, validate: { add: numbers } };

  test('gives the method what it puts out', async () => {
    const client = await new Host(options).connect();
    client.send(call('add', [1, 2], '1'));
    expect(await client.message()).toMatchObject({ result: 6 });
  });

  test('refuses with the text of a binding error', async () => {
    const text = "Failed to invoke 'add' due to an error on the server.";
    expect(await errorOf(options, 'add', ['x'])).toBe(text);
    expect(await errorOf({ ...options, detailedErrors: true }, 'add', ['x', 1])).toBe(
      `${text} InvalidDataException: Error binding arguments. Make sure that the types of the provided values match the types of the hub method being invoked.`,
    );
  });

  test('refuses too few arguments by their number', async () => {
    expect(await errorOf({ ...options, detailedErrors: true }, 'add', ['x'])).toBe(
      "Failed to invoke 'add' due to an error on the server. InvalidDataException: Invocation provides 1 argument(s) but target expects 2.",
    );
  });

  test('is asked after authorize', async () => {
    expect(await errorOf({ ...options, authorize: { add: () => false } }, 'add', ['x'])).toContain('unauthorized');
  });
});

describe('filters', () => {
  const order: string[] = [];
  const filter =
    (name: string): HubFilter =>
    async (event, next) => {
      order.push(`${name} ${event.kind === 'invocation' ? event.method : event.kind}`);
      const result = await next();
      order.push(name);
      return typeof result === 'number' ? result + 1 : result;
    };

  test('of the host run around those of the hub, connects and disconnects included', async () => {
    const host = new Host({ methods: { one: () => 1 }, filters: [filter('hub')] }, { filters: [filter('host')] });
    const client = await host.connect();
    client.send(call('ONE', [], '1'));
    expect(await client.message()).toMatchObject({ result: 3 });
    await client.connection.end({ kind: 'client_left' });
    expect(order).toEqual(
      ['connected', 'one', 'disconnected'].flatMap((what) => [`host ${what}`, `hub ${what}`, 'hub', 'host']),
    );
  });

  test('refuse by throwing instead of calling next', async () => {
    const refuse: HubFilter = async (event, next) => {
      if (event.kind === 'invocation') throw new HubException('closed today');
      return await next();
    };
    expect(await errorOf({ methods: { one: () => 1 }, filters: [refuse] }, 'one')).toContain(
      ' HubException: closed today',
    );
  });
});
