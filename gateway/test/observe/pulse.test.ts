import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Events } from '../../src/observe/events.ts';
import { Pulse } from '../../src/observe/pulse.ts';
import { EventLog } from '../support/event-log.ts';

let clock = 0;
beforeEach(() => {
  clock = 0;
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(() => void vi.useRealTimers());

test('what happened is told to the metrics and counted, with its reason', () => {
  const log = new EventLog();
  const pulse = new Pulse(() => clock);
  const events = pulse.around(recorded(log));
  const kind = { hub: 'h', transport: 'WebSockets', protocol: 'json', mode: 'serverless' };
  events.connectionOpened(kind, 1);
  events.connectionClosed(kind, 'slow');
  events.connectionClosed(kind, 'slow');
  events.dropped('behind', 3);
  events.probe(1.5);
  expect([...pulse.closes, ...pulse.drops]).toEqual([
    ['slow', 2],
    ['behind', 3],
  ]);
  expect(pulse.probeMs).toBe(1.5);
  expect(log.calls.map(([name]) => name)).toEqual([
    'connectionOpened',
    'connectionClosed',
    'connectionClosed',
    'dropped',
    'probe',
  ]);
  pulse.close();
});

test('rates are those of the last five seconds', () => {
  const log = new EventLog();
  const pulse = new Pulse(() => clock);
  const events = pulse.around(recorded(log));
  events.delivered(1000, 50_000);
  pass(10);
  for (let second = 0; second < 5; second++) {
    events.delivered(20, 1000);
    events.received(0, 7);
    pass(1);
  }
  const { delivered, deliveredBytes, received, receivedBytes, dropped } = pulse.rates();
  expect([delivered, deliveredBytes, received, receivedBytes, dropped]).toEqual([20, 1000, 1, 7, 0]);
  pulse.close();
});

/** So many seconds, one by one as the timer of the pulse sees them. */
function pass(seconds: number): void {
  for (let second = 0; second < seconds; second++) {
    clock += 1000;
    vi.advanceTimersByTime(1000);
  }
}

const told = ['connectionOpened', 'connectionClosed', 'delivered', 'dropped', 'probe', 'received'] as const;

/** The recorder answers to any name, but has none of its own: a pulse stands around those that it knows. */
function recorded({ events }: EventLog): Events {
  return Object.fromEntries(told.map((name) => [name, events[name]])) as unknown as Events;
}
