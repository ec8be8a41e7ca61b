import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Frame, TransportKind } from '../../src/core/transport.ts';
import { within } from '../support/until.ts';
import { type Door, startDoor } from './start-door.ts';
import { wires } from './wires.ts';

const text = (words: string): Frame => ({ bytes: Buffer.from(words), binary: false });

/** What every transport promises the core, run by each of its makers. */
export function transportSuite(kind: TransportKind): void {
  const connect = wires[kind];

  describe(`${kind}, as every transport,`, () => {
    let door: Door;
    beforeAll(async () => {
      door = await startDoor();
    });
    afterAll(() => door[Symbol.dispose]());
    beforeEach(() => {
      door.clients.texts.length = 0;
      door.clients.heard = () => undefined;
    });

    it('says which one it is', async () => {
      const wire = await connect(door);
      expect(wire.connection.transport.kind).toBe(kind);
      wire.leave();
    });

    it('carries one and several frames, in order, and copies what it keeps', async () => {
      const { connection, inbox, leave } = await connect(door);
      const shared = text('1');
      connection.transport.write(shared);
      shared.bytes.fill(0);
      connection.transport.writeAll([text('2'), text('3')]);
      connection.transport.write(text('4'));
      await inbox.until('all came', (items) => items.join('').replaceAll('\n', '').length === 4);
      expect(inbox.items.join('').replaceAll('\n', '')).toBe('1234');
      expect(connection.transport.buffered()).toBe(0);
      leave();
    });

    it('brings the handshake response to the client that sent the request', async () => {
      const { inbox, say, leave } = await connect(door);
      expect(await say('{"protocol":"json","version":1}\u001e')).toBe(200);
      await inbox.until('the response came', (items) => items.length > 0);
      expect(inbox.items).toEqual(['{}\u001e']);
      leave();
    });

    it('gives the core what the client says, in order', async () => {
      const { say, leave } = await connect(door);
      const heard = new Promise<void>((resolve) => {
        door.clients.heard = (_, words) => words === 'c' && resolve();
      });
      for (const words of ['a', 'b', 'c']) expect(await say(words)).toBe(200);
      await heard;
      expect(door.clients.texts).toEqual(['a', 'b', 'c']);
      leave();
    });

    it('tells the core when the client leaves', async () => {
      const { connection, leave } = await connect(door);
      leave();
      expect(await within('the core is told', door.clients.ended(connection))).toBe('client_left');
    });

    it('ends after what was written', async () => {
      const { connection, inbox, over } = await connect(door);
      connection.transport.write(text('last words'));
      connection.close('closed_by_app');
      await within('the client is told of the end', over);
      expect([inbox.items, door.clients.endsOf(connection)]).toEqual([['last words'], ['closed_by_app']]);
    });

    it('does nothing after the end', async () => {
      const { connection, inbox, over } = await connect(door);
      connection.close('closed_by_app');
      connection.transport.write(text('x'));
      connection.transport.writeAll([text('x'), text('y')]);
      connection.transport.end();
      expect(connection.transport.buffered()).toBe(0);
      await within('the client is told of the end', over);
      expect([inbox.items, door.clients.endsOf(connection), door.defects]).toEqual([[], ['closed_by_app'], []]);
    });

    it('reads nothing more once it has ended', async () => {
      const { connection, say } = await connect(door);
      door.clients.heard = (speaker) => speaker.close('bad_message');
      await Promise.all(['0', '1', '2'].map((words) => say(words)));
      expect(await within('the client is closed', door.clients.ended(connection))).toBe('bad_message');
      expect(door.clients.texts).toHaveLength(1);
    });

    it('keeps a bounded part for a client that does not read, which is closed as slow', async () => {
      using tight = await startDoor({ queueBytes: 100_000 });
      const { connection, pause } = await connect(tight);
      pause();
      const frames = [text('x'.repeat(50_000)), text('y'.repeat(50_000))];
      for (let i = 0; i < 1000 && connection.state !== 'closed'; i++) {
        connection.transport.writeAll(frames);
        expect(connection.transport.buffered()).toBeLessThanOrEqual(300_000);
        if (connection.transport.buffered() > 100_000) connection.close('slow');
        await new Promise(setImmediate);
      }
      expect(await within('the client is closed', tight.clients.ended(connection))).toBe('slow');
      expect(connection.transport.buffered()).toBe(0);
    });
  });
}
