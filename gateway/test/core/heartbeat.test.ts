import { hubProtocol } from '@signalbox/app-sdk/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { App } from '../../src/core/app.ts';
import type { Connection, Identity } from '../../src/core/connection.ts';
import { Heartbeat } from '../../src/core/heartbeat.ts';
import { Surroundings } from '../support/connections.ts';
import type { FakeTransport } from '../support/fake-transport.ts';

interface Beating {
  readonly heartbeat: Heartbeat;
  readonly around: Surroundings;
  readonly late: string[];
  /** A handshaken client whose hub pings, or not. */
  open(
    pings: boolean,
    more?: Partial<Identity> & { protocol?: string },
  ): { connection: Connection; transport: FakeTransport };
  /** Lets so many seconds pass. */
  pass(seconds: number): void;
}

function start(): Beating {
  const around = new Surroundings();
  const connections = new Set<Connection>();
  const late: string[] = [];
  const heartbeat = new Heartbeat({
    opening: () => [...connections].filter(({ state }) => state === 'opening'),
    connections: () => [...connections].filter(({ state }) => state !== 'opening'),
    pingMs: 15_000,
    clientTimeoutMs: 30_000,
    idleMs: 120_000,
    pingFrame: (protocol) => {
      const bytes = hubProtocol(protocol)?.write({ kind: 'ping' });
      return bytes && { bytes, binary: protocol !== 'json' };
    },
    handshakeOver: ({ id }) => late.push(id),
    also: () => undefined,
  });
  heartbeat.start();
  return {
    heartbeat,
    around,
    late,
    open(pings, more) {
      const made = around.open(more);
      made.connection.app = { pings, left: () => undefined } as Partial<App> as App;
      connections.add(made.connection);
      return made;
    },
    pass(seconds) {
      for (let i = 0; i < seconds; i++) {
        vi.advanceTimersByTime(1_000);
        around.outbox.flush();
      }
    },
  };
}

describe('the heartbeat', () => {
  let beating: Beating;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance', 'Date'] });
    beating = start();
  });

  afterEach(() => {
    beating.heartbeat.stop();
    vi.useRealTimers();
  });

  it('pings clients of a hub that the gateway runs every 15 s, in their hub protocol', () => {
    const json = beating.open(true);
    const binary = beating.open(true, { protocol: 'messagepack' });
    beating.pass(14);
    expect(json.transport.text).toBe('');
    beating.pass(1);
    expect(json.transport.text).toBe('{"type":6}\u001e');
    expect([...binary.transport.frames[0]!.bytes]).toEqual([2, 0x91, 6]);
    beating.pass(30);
    expect(json.transport.frames).toHaveLength(3);
  });

  it('pings nobody whose app does it, and nobody before the handshake is answered', () => {
    const ofApp = beating.open(false);
    const joining = beating.open(true);
    joining.connection.state = 'joining';
    beating.pass(60);
    expect([ofApp.transport.frames, joining.transport.frames]).toEqual([[], []]);
  });

  it('pings a client of server-sent events, and never one that polls', () => {
    const [events, polling] = [beating.open(true), beating.open(true)];
    events.transport.kind = 'ServerSentEvents';
    polling.transport.kind = 'LongPolling';
    polling.connection.pings = true;
    beating.pass(119);
    expect(events.transport.frames).toHaveLength(7);
    beating.pass(600);
    expect(polling.transport.frames).toEqual([]);
    expect([events.connection.state, polling.connection.state]).toEqual(['closed', 'open']);
  });

  it('closes a silent client after 30 s when it has ever pinged, with leave to come back', () => {
    const { connection, transport } = beating.open(true);
    connection.pings = true;
    beating.pass(29);
    expect(connection.state).toBe('open');
    beating.pass(1);
    expect(beating.around.ends).toEqual([`${connection.id} open idle`]);
    expect(transport.text).toContain('"allowReconnect":true');
  });

  it('leaves a client alone that never pinged, until it is idle for 120 s', () => {
    for (const pings of [true, false]) {
      const { connection } = beating.open(pings);
      beating.pass(119);
      expect(connection.state).toBe('open');
      beating.pass(1);
      expect(beating.around.ends.at(-1)).toBe(`${connection.id} open idle`);
    }
  });

  it('counts silence from the last byte that came', () => {
    const { connection } = beating.open(true);
    connection.pings = true;
    for (let i = 0; i < 10; i++) {
      beating.pass(25);
      connection.lastReceived = beating.heartbeat.now();
    }
    expect(connection.state).toBe('open');
    beating.pass(30);
    expect(connection.state).toBe('closed');
  });

  it('closes a client whose login ended, with leave to come back', () => {
    const { connection, transport } = beating.open(false, { authExpires: Date.now() + 10_000 });
    beating.pass(9);
    expect(connection.state).toBe('open');
    beating.pass(1);
    expect(beating.around.ends).toEqual([`${connection.id} open auth_expired`]);
    expect(transport.text).toBe('{"type":7,"allowReconnect":true}\u001e');
  });

  it('tells of a client that has not finished its handshake request in its time', () => {
    const { connection } = beating.open(false, { handshakeMs: 5_000 });
    connection.state = 'opening';
    beating.pass(4);
    expect(beating.late).toEqual([]);
    beating.pass(1);
    expect(beating.late).toEqual([connection.id]);
  });

  it('stops', () => {
    const { transport } = beating.open(true);
    beating.heartbeat.stop();
    beating.pass(60);
    expect(transport.frames).toEqual([]);
  });
});
