import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Backplane, BackplaneTraits } from '../../src/backplane/backplane.ts';
import { Listener } from './listener.ts';

type Node = Backplane & BackplaneTraits;

export interface BackplaneMaker {
  /** How topics of a hub begin here. */
  readonly hub: string;
  /** How control topics begin here. */
  readonly control: string;
  /** A node of the one cluster that this maker makes. */
  make(node: string): Node;
}

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** What every backplane promises, with two nodes of one cluster. */
export function backplaneSuite(name: string, maker: BackplaneMaker): void {
  describe(`${name} as a backplane`, () => {
    const { hub, control } = maker;
    let here: Node;
    let there: Node;
    let atHere: Listener;
    let atThere: Listener;

    beforeEach(async () => {
      [here, there] = [maker.make('here'), maker.make('there')];
      [atHere, atThere] = [new Listener(), new Listener()];
      await Promise.all([here.start(atHere), there.start(atThere)]);
    });

    afterEach(async () => {
      await Promise.all([here.close(), there.close()]);
    });

    it('carries bytes to each node that watches the topic, the sender included, and to no other', async () => {
      await here.watch(`${hub}:all`);
      await there.watch(`${hub}:all`);
      await there.watch(`${hub}:g:a`);
      expect(await here.publish(`${hub}:all`, bytes('one'))).toBe(2);
      expect(await here.publish(`${hub}:g:a`, bytes('two'))).toBe(1);
      await atThere.received(2);
      await atHere.received(1);
      expect(atThere.texts).toEqual(['one', 'two']);
      expect(atHere.texts).toEqual(['one']);
    });

    it('answers 0 receivers and 0 watchers for a topic that nobody watches', async () => {
      expect(await here.publish(`${hub}:g:nobody`, bytes('x'))).toBe(0);
      expect(await here.watchers(`${hub}:g:nobody`)).toBe(0);
    });

    it('delivers an echo later than the call that published, never within it', async () => {
      await here.watch(`${hub}:all`);
      const published = here.publish(`${hub}:all`, bytes('echo'));
      expect(atHere.texts).toEqual([]);
      await published;
      await atHere.received(1);
    });

    it('keeps the order of publishes over all topics of a lane', async () => {
      const topics = [`${hub}:all`, `${hub}:g:a`, `${hub}:g:b`];
      for (const topic of topics) await there.watch(topic);
      const sent = Array.from({ length: 1_000 }, (_, i) => String(i));
      const receivers = await Promise.all(sent.map((text, i) => here.publish(topics[i % 3] ?? '', bytes(text))));
      await atThere.received(1_000);
      expect(atThere.texts).toEqual(sent);
      expect(new Set(receivers)).toEqual(new Set([1]));
    });

    it('carries any byte, and no byte', async () => {
      await there.watch(`${hub}:all`);
      const all = Uint8Array.from({ length: 256 }, (_, i) => i);
      await here.publish(`${hub}:all`, all);
      await here.publish(`${hub}:all`, new Uint8Array(0));
      await atThere.received(2);
      expect(atThere.messages.map(([, message]) => [...message])).toEqual([[...all], []]);
    });

    it('watches once however often it is asked', async () => {
      await Promise.all([there.watch(`${hub}:all`), there.watch(`${hub}:all`)]);
      await there.watch(`${hub}:all`);
      expect(await here.watchers(`${hub}:all`)).toBe(1);
      await here.publish(`${hub}:all`, bytes('once'));
      await here.watch(`${hub}:all`);
      expect(await there.watchers(`${hub}:all`)).toBe(2);
      await here.publish(`${hub}:all`, bytes('twice'));
      await atThere.received(2);
      expect(atThere.texts).toEqual(['once', 'twice']);
    });

    it('tells nothing of a topic after unwatch, and tells again after a new watch', async () => {
      await there.watch(`${hub}:all`);
      await there.watch(`${hub}:g:end`);
      const unwatched = there.unwatch(`${hub}:all`);
      await here.publish(`${hub}:all`, bytes('missed'));
      await unwatched;
      await there.watch(`${hub}:all`);
      await here.publish(`${hub}:all`, bytes('seen'));
      await here.publish(`${hub}:g:end`, bytes('end'));
      await atThere.received(2);
      expect(atThere.texts).toEqual(['seen', 'end']);
    });

    it('knows control topics by their shape, and carries them too', async () => {
      expect(here.isControl(`${control}:n:there`)).toBe(true);
      expect(here.isControl(`${control}:news`)).toBe(true);
      expect(here.isControl(`${hub}:n:there`)).toBe(false);
      expect(here.isControl(`${hub}:all`)).toBe(false);
      await there.watch(`${control}:n:there`);
      expect(await here.publish(`${control}:n:there`, bytes('ask'))).toBe(1);
      await atThere.received(1);
    });

    it('takes nothing before it is started or after it is closed', async () => {
      const other = maker.make('other');
      await expect(other.publish(`${hub}:all`, bytes('x'))).rejects.toMatchObject({ code: 'backplane_down' });
      await other.start(new Listener());
      await other.close();
      for (const call of [other.publish(`${hub}:all`, bytes('x')), other.watch(`${hub}:all`), other.watchers('t')]) {
        await expect(call).rejects.toMatchObject({ code: 'backplane_down' });
      }
    });

    it('no longer counts as a watcher once it is closed', async () => {
      await there.watch(`${hub}:all`);
      await there.close();
      await expect.poll(() => here.watchers(`${hub}:all`)).toBe(0);
    });
  });
}
