import { fileURLToPath } from 'node:url';
import { Subject } from '@microsoft/signalr';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser } from '../support/launch-browser.ts';
import { everyNodeServes } from '../support/served.ts';
import { connectionString, type Service, startService } from '../support/service.ts';
import { until } from '../support/until.ts';
import { ChatUser } from './chat-user.ts';
import { buildProject, DotnetProgram } from './dotnet-program.ts';
import { sayNotRun } from './not-run.ts';

const folder = 'examples/aspnet-chat';
const contentRoot = fileURLToPath(new URL(`../../../${folder}`, import.meta.url));
const alone = await buildProject({ folder, name: 'AspNetChat', properties: { UseAzureSignalR: 'false' } }).catch(
  (error: unknown) => sayNotRun('the chat of ASP.NET Core', error),
);
const behind = await buildProject({ folder, name: 'AspNetChat' }).catch((error: unknown) =>
  sayNotRun('AddAzureSignalR of Microsoft.Azure.SignalR', error),
);

/** Starts an app server. */
async function startApp(assembly: string, env: Record<string, string> = {}): Promise<DotnetProgram> {
  return await DotnetProgram.start(assembly, {
    args: ['--contentRoot', contentRoot],
    env: { Logins__Secret: 'the-secret-of-the-tests-0123456789abcdef', Clock__Seconds: '0.1', ...env },
    ready: /Now listening on: (\S+)\s/,
  });
}

const addressOf = ({ said: [, address = ''] }: DotnetProgram): string => address;

describe.skipIf(alone === undefined)('the chat alone, as its team has it before', () => {
  let app: DotnetProgram;
  beforeAll(async () => {
    app = await startApp(alone ?? '');
  });
  afterAll(async () => void (await app?.stop()));

  chat(() => [addressOf(app), addressOf(app)]);
});

describe.skipIf(behind === undefined)('two app servers of the chat behind three gateway nodes', () => {
  let service: Service;
  let apps: DotnetProgram[] = [];

  beforeAll(async () => {
    service = await startService({ nodes: 3, env: { SIGNALBOX_MODES: '*=default' } });
    const env = { Azure__SignalR__ConnectionString: connectionString(service.balancer.origin) };
    apps = await Promise.all([1, 2].map(() => startApp(behind ?? '', env)));
    for (const app of apps) {
      await until('an app server lets clients in', () => letsIn(addressOf(app)));
      await everyNodeServes(service.nodes, () => ChatUser.invite(addressOf(app), 'probe'));
    }
  });

  afterAll(async () => {
    await Promise.all(apps.map((app) => app.stop('SIGKILL')));
    await service?.[Symbol.asyncDispose]();
  });

  chat(() => apps.map(addressOf) as [string, string]);

  test('both app servers run the hub', async () => {
    const processes = new Set<unknown>();
    const users: ChatUser[] = [];
    await until('both run a hub', async () => {
      const user = await ChatUser.enter(addressOf(apps[0] as DotnetProgram), 'ann');
      users.push(user); // those who stay fill the links
      processes.add(((await user.connection.invoke('WhoAmI')) as { process: number }).process);
      return processes.size === 2;
    });
    await Promise.all(users.map((user) => user.stop()));
    expect([...processes].sort()).toEqual(apps.map(({ pid }) => pid).sort());
  });

  test('a gateway node dies: its clients come back, and go on', async () => {
    const [at] = apps.map(addressOf);
    const users = await Promise.all([0, 1, 2, 3, 4, 5].map((n) => ChatUser.enter(at ?? '', `user${n}`)));
    service.node(2).signal('SIGKILL');
    // The others wait for the end of its lease before they close clients of theirs that its links carried.
    const leaseMs = 30_000;
    await until('everybody has a hub', async () => (await Promise.all(users.map(hasHub))).every(Boolean), leaseMs);
    await users[0]?.connection.invoke('SendMessage', 'still here');
    await Promise.all(users.map((user) => user.hears('ReceiveMessage', 'still here')));
    await Promise.all(users.map((user) => user.stop()));
  });

  test('an app server stops: its clients come back, and the other one runs their hub', async () => {
    const [first, second] = apps as [DotnetProgram, DotnetProgram];
    const users = await Promise.all([0, 1, 2, 3].map((n) => ChatUser.enter(addressOf(second), `user${n}`)));
    expect(await first.stop()).toBe(0);
    await until(
      'the other one runs all hubs',
      async () => {
        const calls = users.map((user) => user.connection.invoke<{ process: number }>('WhoAmI').catch(() => undefined));
        return (await Promise.all(calls)).every((where) => where?.process === second.pid);
      },
      30_000,
    );
    await Promise.all(users.map((user) => user.stop()));
  });
});

/** Whether the hub answers; false when the connection ended meanwhile. */
async function hasHub({ connection }: ChatUser): Promise<boolean> {
  return await connection.invoke('WhoAmI').then(Boolean, () => false);
}

/** Whether somebody gets in: its links may not be known to every node yet. */
async function letsIn(app: string): Promise<boolean> {
  try {
    await (await ChatUser.enter(app, 'probe')).stop();
    return true;
  } catch {
    return false;
  }
}

/** What the chat does, wherever its clients are connected. */
function chat(addresses: () => [string, string]): void {
  /** Ann comes in at the first app server, Bob at the second. */
  async function pair(): Promise<[ChatUser, ChatUser]> {
    const [first, second] = addresses();
    return [await ChatUser.enter(first, 'ann'), await ChatUser.enter(second, 'bob', { mood: 'merry' })];
  }

  async function leave(...users: readonly ChatUser[]): Promise<void> {
    await Promise.all(users.map((user) => user.stop()));
  }

  test('nobody comes in without a login', async () => {
    const answer = await fetch(`${addresses()[0]}/chat/negotiate?negotiateVersion=1`, { method: 'POST' });
    expect(answer.status).toBe(401);
  });

  test('clients know who they are', async () => {
    const [ann, bob] = await pair();
    expect(await bob.connection.invoke('WhoAmI')).toMatchObject({
      user: 'bob',
      connectionId: bob.connection.connectionId,
    });
    expect(ann.of('Welcome')).toMatchObject([['Welcome', { user: 'ann', connectionId: ann.connection.connectionId }]]);
    await leave(ann, bob);
  });

  test('a message reaches everybody, in order', async () => {
    const [ann, bob] = await pair();
    const texts = Array.from({ length: 30 }, (_, n) => `message ${n}`);
    for (const text of texts) await ann.connection.send('SendMessage', text);
    await Promise.all([ann, bob].map((one) => one.hears('ReceiveMessage', 'message 29')));
    for (const one of [ann, bob]) {
      expect(one.of('ReceiveMessage')).toEqual(texts.map((text) => ['ReceiveMessage', 'ann', text]));
    }
    await leave(ann, bob);
  });

  test('rooms and private messages reach those they are for', async () => {
    const [ann, bob] = await pair();
    const again = await ChatUser.enter(addresses()[1], 'ann');
    await ann.connection.invoke('JoinRoom', 'garden');
    await bob.connection.invoke('SayInRoom', 'garden', 'first');
    await bob.connection.invoke('JoinRoom', 'garden');
    await bob.connection.invoke('SayInRoom', 'garden', 'second');
    await ann.connection.invoke('LeaveRoom', 'garden');
    await bob.connection.invoke('SayInRoom', 'garden', 'third');
    await bob.connection.invoke('SendPrivate', 'ann', 'psst');
    await bob.connection.invoke('SendMessage', 'the end');
    await Promise.all([ann, again, bob].map((one) => one.hears('ReceiveMessage', 'the end')));
    const inGarden = (one: ChatUser): unknown[] => one.of('SaidInRoom').map((heard) => heard.at(-1));
    expect([ann, again, bob].map(inGarden)).toEqual([['first', 'second'], [], ['second', 'third']]);
    expect([ann, again, bob].map((one) => one.of('ReceivePrivate').length)).toEqual([1, 1, 1]);
    await leave(ann, again, bob);
  });

  test('streams go both ways, and end when they are cancelled', async () => {
    const [ann, bob] = await pair();
    expect(await ann.stream('Counter', [1, 5])).toEqual([1, 2, 3, 4, 5]);
    expect(await bob.stream('Counter', [1, 1_000_000], 2)).toEqual([1, 2]);
    const lines = new Subject<string>();
    const words = ann.connection.invoke('CountWords', lines);
    for (const line of ['one two', 'three', '']) lines.next(line);
    lines.complete();
    expect(await words).toBe(3);
    await leave(ann, bob);
  });

  test('a client is asked, and its answer goes to everybody', async () => {
    const [ann, bob] = await pair();
    expect(await bob.connection.invoke('TellMood')).toBe('merry');
    await ann.hears('ReceiveMessage', 'I am merry');
    await leave(ann, bob);
  });

  test('errors that are for clients reach them, and roles are obeyed', async () => {
    const [ann, bob] = await pair();
    const long = ann.connection.invoke('SendMessage', '');
    await expect(long).rejects.toThrow('HubException: "text" must be 1 to 1000 characters, got 0');
    await expect(ann.connection.invoke('Announce', 'x')).rejects.toThrow('because user is unauthorized');
    const mod = await ChatUser.enter(addresses()[0], 'mod', { moderator: true });
    await mod.connection.invoke('Announce', 'be kind');
    await Promise.all([ann, bob].map((one) => one.hears('ReceiveMessage', 'be kind')));
    await leave(ann, bob, mod);
  });

  test('a controller and a background service send too', async () => {
    const [ann, bob] = await pair();
    await ann.connection.invoke('JoinRoom', 'garden');
    expect(await bob.post('messages/rooms/garden', 'rain')).toBe(200);
    expect(await bob.post('messages/users/ann', 'call home')).toBe(200);
    expect(await bob.post('messages', 'lunch')).toBe(200);
    await Promise.all([ann, bob].map((one) => one.hears('ReceiveMessage', 'lunch')));
    expect(ann.inbox.items.slice(1)).toEqual([
      ['SaidInRoom', 'garden', 'system', 'rain'],
      ['ReceivePrivate', 'system', 'ann', 'call home'],
      ['ReceiveMessage', 'system', 'lunch'],
    ]);
    await Promise.all([ann, bob].map((one) => one.ticks.until('two ticks', ({ length }) => length > 1)));
    await leave(ann, bob);
  });

  // Chromium starts beside the builds of the other files: on a busy machine that alone has taken half a minute.
  test('two browsers chat', { timeout: 120_000 }, async () => {
    const browser: Browser = await launchBrowser();
    try {
      const pages = await Promise.all(addresses().map(() => browser.newPage()));
      for (const [i, page] of pages.entries()) {
        await page.goto(addresses()[i] ?? '');
        await page.getByLabel('Your name').fill(`user${i}`);
        await page.getByRole('button', { name: 'Come in' }).click();
        await page.getByText(`connected as user${i}`).waitFor();
      }
      await pages[0]?.getByLabel('To everybody').fill('hello');
      await pages[0]?.getByRole('button', { name: 'Send' }).click();
      for (const page of pages) await page.getByText('user0: hello', { exact: true }).waitFor();
    } finally {
      await browser.close();
    }
  });
}
