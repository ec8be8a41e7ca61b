import { describe, expect, test } from 'vitest';
import { LinkWriter, type Sender } from '../../src/apps/link-writer.ts';
import type { Socket } from '../../src/http.ts';
import { FakeCarried, startLinkDoor } from './link-door.ts';

const KiB = 1024;
const piece = Buffer.alloc(64 * KiB, 'p');

/** Lets what is under way in this process happen. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('an app server that stops reading', () => {
  test('has its link cut off at the bound, and its clients are told', async () => {
    using door = await startLinkDoor({ linkQueueBytes: 1024 * KiB, linkClientQueueBytes: 64 * KiB });
    const { app, link } = await door.linked();
    const clients = Array.from({ length: 100 }, (_, i) => new FakeCarried(`c${i}`));
    for (const client of clients) link.open(client, client.info(), Buffer.from('r'));
    app.socket.pause();
    let sent = 0;
    // The kernel takes some megabytes before anything waits here.
    for (; link.taking && sent < 2000; sent++) {
      link.data(`c${sent % 100}`, piece);
      await turn();
    }
    expect(await door.ends(1)).toEqual(['slow']);
    expect(clients.every(({ told }) => told.length === 1 && told[0] === 'lost link_lost')).toBe(true);
    expect(door.host.links).toEqual([]);
    app.socket.resume();
    expect(await app.closed).toBe(1006);
  });

  test('loses a client whose bytes wait beyond its own bound, and keeps the others', async () => {
    using door = await startLinkDoor({ linkQueueBytes: 64 * 1024 * KiB, linkClientQueueBytes: 256 * KiB });
    const { app, link } = await door.linked();
    const [loud, quiet] = [new FakeCarried('loud'), new FakeCarried('quiet')];
    for (const client of [loud, quiet]) link.open(client, client.info(), Buffer.from('r'));
    app.socket.pause();
    let sent = 0;
    for (; loud.told.length === 0 && sent < 2000; sent++) {
      link.data('loud', piece);
      await turn();
    }
    expect(loud.told).toEqual(['lost app_slow']);
    link.data('quiet', Buffer.from('mine'));
    expect(link).toMatchObject({ clients: 1, taking: true });
    app.socket.resume();
    expect(await app.hears('CloseConnection')).toMatchObject({
      connectionId: 'loud',
      errorMessage: 'Closed by the service: app_slow.',
    });
    await app.until(() =>
      app.of('ConnectionData').some(({ connectionId, payload }) => connectionId === 'quiet' && payload.length === 4),
    );
    expect(app.of('ConnectionData').filter(({ connectionId }) => connectionId === 'loud')).toHaveLength(sent);
    expect(quiet.told).toEqual([]);
  });

  test('and reads again in time loses nobody, however much was sent', async () => {
    using door = await startLinkDoor({ linkQueueBytes: 64 * 1024 * KiB, linkClientQueueBytes: 256 * KiB });
    const { app, link } = await door.linked();
    const client = new FakeCarried('c1');
    link.open(client, client.info(), Buffer.from('r'));
    let sent = 1;
    for (let round = 0; round < 30; round++) {
      for (let i = 0; i < 4; i++, sent++) link.data('c1', piece);
      await app.hears('ConnectionData', sent);
    }
    expect(client.told).toEqual([]);
    expect(link.clients).toBe(1);
  });
});

/** A socket that takes nothing until the test says so. */
class StuckSocket {
  waiting = 0;
  /** Whole WebSocket messages that were given to it. */
  readonly messages: Uint8Array[] = [];
  send(bytes: Uint8Array): number {
    this.messages.push(bytes);
    this.waiting += bytes.length + (bytes.length < 126 ? 2 : bytes.length < 65_536 ? 4 : 10);
    return 0;
  }
  getBufferedAmount(): number {
    return this.waiting;
  }
}

describe('the unsent bytes of each sender', () => {
  const sender = (): Sender => ({ unsent: 0 });
  const make = (queueBytes = 1_000_000) => {
    const socket = new StuckSocket();
    const state = { full: 0 };
    const writer = new LinkWriter(socket as unknown as Socket, { queueBytes, full: () => void state.full++ });
    const leave = (bytes: number): void => {
      socket.waiting -= bytes;
      writer.drained();
    };
    return { socket, writer, leave, state };
  };

  test('are those behind what has left, to the byte', () => {
    const { writer, leave } = make();
    const [a, b] = [sender(), sender()];
    writer.write(Buffer.alloc(100), a);
    writer.write(Buffer.alloc(50));
    writer.write(Buffer.alloc(100), b);
    writer.flush();
    expect([a.unsent, b.unsent]).toEqual([100, 100]);
    leave(4 + 30);
    expect([a.unsent, b.unsent]).toEqual([70, 100]);
    leave(70 + 50);
    expect([a.unsent, b.unsent]).toEqual([0, 100]);
    leave(99);
    expect([a.unsent, b.unsent]).toEqual([0, 1]);
    writer.write(Buffer.alloc(10), a);
    writer.flush();
    expect([a.unsent, b.unsent]).toEqual([10, 1]);
    leave(1 + 2);
    expect([a.unsent, b.unsent]).toEqual([10, 0]);
    leave(10);
    expect([a.unsent, b.unsent]).toEqual([0, 0]);
  });

  test('are right after any number of messages of any length', () => {
    const { writer, leave, socket } = make(Number.POSITIVE_INFINITY);
    const senders = [sender(), sender(), sender()];
    for (let i = 0; i < 3000; i++) {
      writer.write(Buffer.alloc((i * 37) % 300), senders[i % 3]);
      if (i % 5 === 0) writer.flush();
      if (i % 7 === 0) leave(Math.min(socket.waiting, 900));
    }
    writer.flush();
    leave(socket.waiting);
    expect(senders.map(({ unsent }) => unsent)).toEqual([0, 0, 0]);
  });

  test('are nobody concern while the socket takes all', () => {
    const { writer, socket } = make();
    const a = sender();
    writer.write(Buffer.alloc(100), a);
    socket.waiting = Number.NEGATIVE_INFINITY;
    writer.flush();
    expect(a.unsent).toBe(0);
  });

  test('a turn is one message, a large one goes at once, and the bound is told', async () => {
    const { writer, socket, state } = make(100_000);
    for (let i = 0; i < 10; i++) writer.write(Buffer.alloc(10, i));
    await turn();
    expect(socket.messages.map(({ length }) => length)).toEqual([100]);
    const large = Buffer.alloc(70_000);
    writer.write(large);
    expect(socket.messages[1]).toBe(large);
    expect(state.full).toBe(0);
    writer.write(large);
    expect(state.full).toBe(1);
  });
});
