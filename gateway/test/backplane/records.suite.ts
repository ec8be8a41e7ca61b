import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NodeRecord, Records } from '../../src/backplane/records.ts';
import type { RecordsListener } from './listener.ts';

/** Records of one node, and what the backplane beneath carried to it. */
export interface RecordsNode {
  readonly records: Records;
  readonly told: RecordsListener;
  close(): Promise<void>;
}

export interface RecordsMaker {
  /** A topic of the hub `chat` that the node watches. */
  readonly topic: string;
  make(node: string): Promise<RecordsNode>;
}

export const record: NodeRecord = { accessKeys: ['k1'], routingSecret: 's1', envelope: 1, data: { links: [] } };

const envelope = Buffer.from('envelope');

/** What records promise to one node. */
export function recordsSuite(name: string, { topic, make }: RecordsMaker): void {
  describe(`records in ${name}`, () => {
    let node: RecordsNode;
    let records: Records;

    beforeEach(async () => {
      node = await make('here');
      records = node.records;
      await records.start(record, node.told);
    });

    afterEach(() => node.close());

    const join = (user: string, group: string, ttlSeconds?: number): Promise<number> =>
      records.joinStanding('chat', user, group, ttlSeconds, topic, envelope);
    const leave = (user: string, group?: string): Promise<{ receivers: number; had: boolean }> =>
      records.leaveStanding('chat', user, group, topic, envelope);

    it('lists this node with its record, and with the newest one', async () => {
      expect((await records.nodes()).nodes.get('here')).toEqual(record);
      await records.lease({ ...record, data: { links: [1] } });
      expect((await records.nodes()).nodes.get('here')).toEqual({ ...record, data: { links: [1] } });
    });

    it('gives a claim to the first, and tells everybody else who that was', async () => {
      expect(await records.claim('id-1', 60, 'node-a')).toEqual({ won: true, owner: 'node-a' });
      expect(await records.claim('id-1', 60, 'node-b')).toEqual({ won: false, owner: 'node-a' });
      expect(await records.claim('id-1', 60, 'node-a')).toEqual({ won: false, owner: 'node-a' });
      expect(await records.owner('id-1')).toBe('node-a');
      expect(await records.owner('id-2')).toBeUndefined();
    });

    it('gives one winner to claims of the same moment', async () => {
      const claims = await Promise.all(Array.from({ length: 20 }, (_, i) => records.claim('id-3', 60, `node-${i}`)));
      expect(claims.filter((claim) => claim.won)).toHaveLength(1);
      expect(new Set(claims.map((claim) => claim.owner)).size).toBe(1);
    });

    it('ends a claim after its time', async () => {
      await records.claim('id-4', 1, 'node-a');
      await expect.poll(() => records.owner('id-4')).toBeUndefined();
      expect(await records.claim('id-4', 1, 'node-b')).toEqual({ won: true, owner: 'node-b' });
    });

    it('makes the routing secret once', async () => {
      const secret = await records.secret(() => 'made-first');
      expect(await records.secret(() => 'made-second')).toBe(secret);
    });

    it('stores a standing group, tells the topic and answers the receivers, in one call', async () => {
      expect(await join('ann', 'news')).toBe(1);
      await node.told.received(1);
      expect(node.told.messages).toEqual([[topic, envelope.toString()]]);
      expect(await records.standing('chat', 'ann')).toEqual(['news']);
      expect(await records.stands('chat', 'ann', 'news')).toBe(true);
      expect(await records.stands('chat', 'ann', 'sport')).toBe(false);
    });

    it('keeps standing groups apart by hub and user, whatever their names hold', async () => {
      const names = [
        'a',
        'a:standing:b',
        'b}',
        '{b',
        '%61',
        'ä',
        'x'.repeat(1_024),
        `${'x'.repeat(1_023)}y`,
        '~',
        'a\0',
      ];
      for (const name of names) await join(name, `group of ${name}`);
      for (const name of names) expect(await records.standing('chat', name)).toEqual([`group of ${name}`]);
      expect(await records.standing('other', 'a')).toEqual([]);
    });

    it('lists standing groups with the longest life first', async () => {
      await join('bob', 'short', 60);
      await join('bob', 'year');
      await join('bob', 'hour', 3_600);
      expect(await records.standing('chat', 'bob')).toEqual(['year', 'hour', 'short']);
    });

    it('ends a standing group after its time to live, and replaces that when joined again', async () => {
      await join('cat', 'was short', 1);
      await join('cat', 'was short', 3_600);
      await join('cat', 'was long', 60);
      await join('cat', 'was kept');
      expect(await records.standing('chat', 'cat')).toHaveLength(3);
      for (const group of ['was long', 'was kept', 'ends']) await join('cat', group, 1);
      await expect.poll(() => records.standing('chat', 'cat')).toEqual(['was short']);
    });

    it('keeps the 100 groups most recently joined without time to live, and all with one', async () => {
      await join('dan', 'timed', 60);
      for (let i = 0; i < 100; i++) await join('dan', `group ${i}`);
      await join('dan', 'group 0');
      await join('dan', 'one more');
      const groups = await records.standing('chat', 'dan');
      expect(groups).toHaveLength(101);
      expect(groups).toEqual(expect.arrayContaining(['timed', 'group 0', 'one more', 'group 2']));
      expect(groups).not.toContain('group 1');
    });

    it('refuses more than 1,000 groups with a time to live, and tells nobody of them', async () => {
      await Promise.all(Array.from({ length: 1_000 }, (_, i) => join('eve', `group ${i}`, 600)));
      await expect(join('eve', 'one more', 600)).rejects.toMatchObject({
        code: 'limit_reached',
        message: 'a user must have at most 1000 groups with a time to live',
      });
      expect(await join('eve', 'group 7', 600)).toBe(1);
      await node.told.received(1_001);
      expect(await records.standing('chat', 'eve')).toHaveLength(1_000);
    });

    it('takes a user out of one group or of all, tells the topic, and says whether there was one', async () => {
      for (const group of ['a', 'b', 'c']) await join('fay', group, group === 'b' ? 60 : undefined);
      expect(await leave('fay', 'b')).toEqual({ receivers: 1, had: true });
      expect(await leave('fay', 'b')).toEqual({ receivers: 1, had: false });
      expect(await records.standing('chat', 'fay')).toEqual(['c', 'a']);
      expect(await leave('fay')).toEqual({ receivers: 1, had: true });
      expect(await leave('fay')).toEqual({ receivers: 1, had: false });
      expect(await records.standing('chat', 'fay')).toEqual([]);
      await node.told.received(7);
    });
  });
}
