import type { NegotiateOptions } from '@signalbox/app-sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AppProcess } from '../support/app-process.ts';
import { Stage } from '../support/stage.ts';
import { until } from '../support/until.ts';
import { type DotnetClient, type DotnetClientOptions, DotnetClients, type TransportName } from './dotnet-clients.ts';
import { sayNotRun } from './not-run.ts';
import { clientVersions } from './versions.ts';

const transports: TransportName[] = ['WebSockets', 'ServerSentEvents', 'LongPolling'];
const serverless = 'serverless';

let stage: Stage;
let app: AppProcess;

beforeAll(async () => {
  stage = await Stage.open({ nodes: 2, env: { SIGNALBOX_MODES: `${serverless}=serverless,*=default` } });
  app = await stage.app('app');
});

afterAll(() => stage?.[Symbol.asyncDispose]());

for (const version of clientVersions) {
  const what = `Microsoft's .NET client ${version}`;
  const started = await DotnetClients.start(version).catch((error: unknown) => sayNotRun(what, error));
  describe.skipIf(started === undefined)(what, () => play(started as DotnetClients));
}

function play(clients: DotnetClients): void {
  afterAll(() => clients.stop());

  /** A client of the hub of the app server. */
  const client = async (options?: DotnetClientOptions, who: NegotiateOptions = {}): Promise<DotnetClient> =>
    await clients.connect(await app.negotiate(who), options);

  describe.each(transports)('over %s, with a hub in an app server', (transport) => {
    test('calls, and is told the errors of the hub', async () => {
      const ann = await client({ transport });
      const values = [42, 'text', true, null, [1, 'a'], { a: { b: 'é😀' } }];
      for (const value of values) expect(await ann.invoke('echo', value)).toEqual(value);
      await expect(ann.invoke('refuse', 'not for you')).rejects.toThrow('HubException: not for you');
      await expect(ann.invoke('nope')).rejects.toThrow('Method does not exist.');
      await ann.stop();
    });

    test('streams both ways, and cancels', async () => {
      const ann = await client({ transport });
      expect(await ann.stream('count', [3])).toEqual([1, 2, 3]);
      expect(await ann.upload('sum', [1, 2, 3])).toBe(6);
      expect(await ann.stream('endless', [], 2)).toEqual([1, 2]);
      await app.notices.until('its stream is cancelled', () => app.of('cancelled', ann.id).length === 1);
      await ann.stop();
      expect(await app.goodbyes(ann.id)).toEqual(['client_left']);
    });

    test('is told as a user, in a group and alone, and is asked', async () => {
      const ann = await client({ transport, name: 'Ann' }, { userId: 'ann' });
      const bob = await client({ transport, name: 'Bob' }, { userId: 'bob' });
      await ann.invoke('join', 'room');
      await bob.invoke('tell', 'group', ['room'], 'to the room');
      await bob.invoke('tell', 'user', ['ann'], 'to ann');
      await bob.invoke('tell', 'client', [ann.id], 'to one');
      await bob.invoke('tell', 'all', [], 'to all');
      await Promise.all([ann.heard('to all'), bob.heard('to all')]);
      expect([ann.news, bob.news]).toEqual([['to the room', 'to ann', 'to one', 'to all'], ['to all']]);
      expect(await bob.invoke('ask', ann.id)).toBe('Ann');
      expect(await bob.invoke('askCaller')).toBe('Bob');
      expect(await app.ask(ann.id)).toBe('Ann');
      await Promise.all([ann.stop(), bob.stop()]);
    });
  });

  test('comes back after its connection broke, and when the service asks it to', async () => {
    const ann = await client();
    await ann.cut();
    const second = await ann.told('reconnected');
    expect(second).not.toBe(ann.id);
    expect(await ann.invoke('echo', 'again')).toBe('again');
    await stage.service.app(stage.hub).connections.close({ connection: String(second) });
    await until('it is back', () => ann.inbox.items.filter(({ what }) => what === 'reconnected').length === 2);
    expect(await ann.invoke('echo', 'once more')).toBe('once more');
    await ann.stop();
    expect(await ann.told('closed')).toBeNull();
  });

  test('goes on without stateful reconnect when it asked for it', async () => {
    const ann = await client({ stateful: true });
    expect(ann.stateful).toBe(false);
    expect(await ann.invoke('echo', 1)).toBe(1);
    await ann.cut();
    await ann.told('reconnected');
    await ann.stop();
  });

  test('hears what is sent by REST, and answers, without an app server', async () => {
    const hub = stage.service.app(serverless);
    const ann = await clients.connect(await hub.negotiate({ userId: 'ann' }), { name: 'Ann' });
    await hub.groups.addToGroup(ann.id, 'room');
    for (const place of [{ user: 'ann' }, { group: 'room' }, { connection: ann.id }, { all: true }] as const) {
      await hub.send(place, 'news', JSON.stringify(place));
    }
    await ann.heard('{"all":true}');
    expect(ann.news).toHaveLength(4);
    expect(await hub.clients.client(ann.id).invoke('askName')).toBe('Ann');
    await expect(ann.invoke('anything')).rejects.toThrow();
    await ann.stop();
    await until('it is gone', async () => !(await hub.connections.exists({ connection: ann.id })));
  });
}
