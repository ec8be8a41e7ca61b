import { encode } from '@msgpack/msgpack';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Backplane, BackplaneTraits } from '../../src/backplane/backplane.ts';
import { type Bus, type BusLimits, controlLane, createBus } from '../../src/backplane/bus.ts';
import { GatewayError } from '../../src/errors.ts';
import { encodeEnvelope } from '../../src/protocol/envelope.ts';
import { BusListener } from './listener.ts';

type Node = Backplane & BackplaneTraits;

export interface BusMaker {
  /** How topics of a hub begin here. */
  readonly hub: string;
  /** How control topics begin here. */
  readonly control: string;
  make(node: string): Node;
}

/** A node of the suite: its bus, what it heard, and the backplane beneath. */
export interface BusNode {
  readonly bus: Bus;
  readonly heard: BusListener;
  readonly backplane: Node;
}

export async function startBus(backplane: Node, node: string, limits: Partial<BusLimits> = {}): Promise<BusNode> {
  const heard = new BusListener();
  const sheddable = (command: Uint8Array): boolean => Buffer.from(command).includes('broadcast');
  const bus = createBus({ backplane, node, events: heard, sheddable, limits });
  await bus.start(heard);
  return { bus, heard, backplane };
}

const command = (value: unknown): Uint8Array => encode(value);

/** What a bus promises over any backplane that joins nodes. */
export function busSuite(name: string, { hub, control, make }: BusMaker): void {
  describe(`a bus over ${name}`, () => {
    const lane = 'chat';
    const all = `${hub}:all`;
    const group = `${hub}:g:a`;
    let here: BusNode;
    let there: BusNode;

    beforeEach(async () => {
      here = await startBus(make('here'), 'here', { messageBytes: 1_000 });
      there = await startBus(make('there'), 'there');
    });

    afterEach(async () => {
      await Promise.all([here.bus.close(), there.bus.close()]);
    });

    it('delivers commands to the other nodes in the order sent, over all topics of the lane', async () => {
      await there.bus.watch(all);
      await there.bus.watch(group);
      const sent = Array.from({ length: 500 }, (_, i) => i);
      const topics = sent.map((i) => (i % 3 === 0 ? group : all));
      const receivers = await Promise.all(sent.map((i) => here.bus.send(lane, topics[i] ?? all, command(i), false)));
      await there.heard.received(500);
      expect(there.heard.values).toEqual(sent);
      expect(there.heard.topics).toEqual(topics);
      expect(new Set(receivers)).toEqual(new Set([1]));
    });

    it('puts consecutive commands of one turn for one topic into one envelope, and no others', async () => {
      await there.bus.watch(all);
      await there.bus.watch(group);
      const sends = [all, all, all, group, all, all].map((topic, i) => here.bus.send(lane, topic, command(i), false));
      sends.push(here.bus.send(lane, all, command(6), true), here.bus.send(lane, all, command(7), true, 'trace'));
      await Promise.all(sends);
      await there.heard.received(8);
      expect(there.heard.envelopes).toEqual([[0, 1, 2], [3], [4, 5], [6], [7]]);
      expect(here.heard.sent.map(([commands]) => commands)).toEqual([3, 1, 2, 1, 1]);
      expect(there.heard.came).toEqual(here.heard.sent);
      await here.bus.send(lane, all, command(8), false);
      await there.heard.received(9);
      expect(there.heard.envelopes.at(-1)).toEqual([8]);
    });

    it('delivers to its own node only what was marked, as an echo, in order', async () => {
      await here.bus.watch(all);
      const sends = [false, true, false, true].map((echo, i) => here.bus.send(lane, all, command(i), echo));
      expect(await Promise.all(sends)).toEqual([1, 1, 1, 1]);
      await here.heard.received(2);
      expect(here.heard.values).toEqual([1, 3]);
      expect(here.heard.origins).toMatchObject([{ node: 'here', own: true }, { own: true }]);
    });

    it('tells where commands came from, when, and on which trace', async () => {
      await there.bus.watch(all);
      const before = Date.now();
      await here.bus.send(lane, all, command(1), false, 'trace-1');
      await there.heard.received(1);
      expect(there.heard.origins[0]).toMatchObject({ node: 'here', own: false, trace: 'trace-1' });
      expect(there.heard.origins[0]?.sentAt).toBeGreaterThanOrEqual(before);
      expect(there.heard.origins[0]?.sentAt).toBeLessThanOrEqual(Date.now());
      expect(there.heard.latencies).toHaveLength(1);
      expect(here.heard.latencies).toHaveLength(0);
    });

    it('delivers the same envelope once, and counts the second as duplicate', async () => {
      await there.bus.watch(all);
      let sent = new Uint8Array();
      const tap = (envelope: Uint8Array): Promise<number> => {
        sent = Uint8Array.from(envelope);
        return here.backplane.publish(all, envelope);
      };
      await here.bus.sendVia(lane, all, command('once'), false, tap);
      await here.backplane.publish(all, sent);
      await here.bus.send(lane, all, command('next'), false);
      await there.heard.received(2);
      expect(there.heard.values).toEqual(['once', 'next']);
      expect(there.heard.drops).toEqual({ duplicate: 1 });
    });

    it('counts a hole when an envelope on a watched topic never came, and none otherwise', async () => {
      const lost = async (): Promise<number> => 0;
      await there.bus.watch(all);
      await here.bus.send(lane, all, command(1), false);
      await here.bus.send(lane, group, command('not watched there'), false);
      await here.bus.send(lane, all, command(2), false);
      await here.bus.sendVia(lane, all, command('lost'), false, lost);
      await here.bus.send(lane, all, command(3), false);
      await there.heard.received(3);
      expect(there.heard.drops).toEqual({ hole: 1 });
      expect(there.heard.values).toEqual([1, 2, 3]);
    });

    it('counts no hole for what was sent while the topic was not watched', async () => {
      await there.bus.watch(all);
      await here.bus.send(lane, all, command(1), false);
      await there.heard.received(1);
      await there.bus.unwatch(all);
      await here.bus.send(lane, all, command(2), false);
      await there.bus.watch(all);
      await here.bus.send(lane, all, command(3), false);
      await there.heard.received(2);
      expect(there.heard.drops).toEqual({});
    });

    it('sends through a script in order with the rest', async () => {
      await there.bus.watch(all);
      const publish = (envelope: Uint8Array): Promise<number> => here.backplane.publish(all, envelope);
      const sends = [0, 1, 2, 3].map((i) =>
        i % 2 === 0
          ? here.bus.send(lane, all, command(i), false)
          : here.bus.sendVia(lane, all, command(i), false, publish),
      );
      expect(await Promise.all(sends)).toEqual([1, 1, 1, 1]);
      await there.heard.received(4);
      expect(there.heard.envelopes).toEqual([[0], [1], [2], [3]]);
    });

    it('passes on what a script refuses, and counts only what was lost', async () => {
      const refuse = async (): Promise<never> => {
        throw new GatewayError('limit_reached', 'too many');
      };
      const refused = here.bus.sendVia(lane, all, command('x'), false, refuse);
      await expect(refused).rejects.toMatchObject({ code: 'limit_reached' });
      expect(here.heard.drops).toEqual({});
    });

    it('refuses a message above the limit before anything is sent, and counts it', async () => {
      await there.bus.watch(all);
      const refused = here.bus.send(lane, all, command('x'.repeat(1_001)), false);
      await expect(refused).rejects.toMatchObject({
        code: 'too_large',
        message: 'a message must be at most 1000 bytes (SIGNALBOX_MESSAGE_BYTES), got 1004',
      });
      await here.bus.send(lane, all, command('small'), false);
      await there.heard.received(1);
      expect(there.heard.values).toEqual(['small']);
      expect(here.heard.drops).toEqual({ too_large: 1 });
    });

    it('begins a new envelope when the commands of one would pass the limit', async () => {
      await there.bus.watch(all);
      await Promise.all([1, 2, 3].map(() => here.bus.send(lane, all, command('x'.repeat(400)), false)));
      await there.heard.received(3);
      expect(there.heard.envelopes.map((envelope) => envelope.length)).toEqual([2, 1]);
    });

    it('counts envelopes that it cannot read, and delivers nothing of them', async () => {
      await there.bus.watch(all);
      await here.backplane.publish(all, command([99, 'from', 'the', 'future']));
      await here.backplane.publish(all, Buffer.from('not ours'));
      await here.bus.send(lane, all, command('after'), false);
      await there.heard.received(1);
      expect(there.heard.values).toEqual(['after']);
      expect(there.heard.drops).toEqual({ unknown_version: 2 });
    });

    it('forgets a node that is gone', async () => {
      await there.bus.watch(all);
      const envelope = { node: 'gone', lane, sequence: 9, previous: undefined, sentAt: 0, echo: false };
      const bytes = encodeEnvelope({ ...envelope, commands: [command('a')] });
      await here.backplane.publish(all, bytes);
      await there.heard.received(1);
      there.bus.forget('gone');
      await here.backplane.publish(all, bytes);
      await there.heard.received(2);
      expect(there.heard.drops).toEqual({});
    });

    it('keeps control topics on a lane of their own', async () => {
      await there.bus.watch(`${control}:n:there`);
      expect(await here.bus.send(controlLane, `${control}:n:there`, command('ask'), false)).toBe(1);
      expect(() => here.bus.send(lane, `${control}:n:there`, command('ask'), false)).toThrow(TypeError);
      expect(() => here.bus.send(controlLane, all, command('send'), false)).toThrow(TypeError);
    });

    it('hears once started, and sends what waits before it closes', async () => {
      expect(here.bus.hearing).toBe(true);
      await there.bus.watch(all);
      const sent = here.bus.send(lane, all, command('last'), false);
      await here.bus.close();
      expect(await sent).toBe(1);
      await there.heard.received(1);
      expect(here.bus.hearing).toBe(false);
    });
  });
}
