import { describe, expect, it } from 'vitest';
import { openThere } from '../../src/apps/carrier.ts';
import type { CarriedClient } from '../../src/apps/link.ts';
import type { Streams } from '../../src/core/streams.ts';

/** Opens a way to a link on node n2 whose answer is given. */
async function open(verdict: 'yes' | 'no' | 'failed' | 'timeout', answered: boolean) {
  const told: string[] = [];
  const streams = {
    listen: async () => void told.push('listen'),
    unlisten: () => void told.push('unlisten'),
    open: async () => verdict,
    send: async (_to: string, { kind }: { kind: string }) => told.push(kind) > 0,
  } as unknown as Streams;
  const info = { connectionId: 'c1', claims: [], headers: [], queryString: '', protocol: 'json' };
  const way = await openThere(
    { node: 'n2', link: 'n2.1', server: 'srv' },
    { node: 'n1', streams, pieceBytes: 1000 },
    {
      client: {} as CarriedClient,
      hub: 'chat',
      info,
      request: new Uint8Array(),
      migratedFrom: undefined,
      stream: 1,
      answered: () => answered,
    },
  );
  return { way, told };
}

describe('a way to a link on another node', () => {
  it('is open when its node says so', async () => {
    const { way, told } = await open('yes', false);
    expect(way).toMatchObject({ server: 'srv', node: 'n2' });
    expect(told).toEqual(['listen']);
  });

  it.each(['timeout', 'failed'] as const)(
    'is open when the app has answered by it, although the answer of its node is %s',
    async (verdict) => {
      const { way, told } = await open(verdict, true);
      expect(way).toMatchObject({ node: 'n2' });
      expect(told).toEqual(['listen']);
    },
  );

  it.each(['timeout', 'failed'] as const)(
    'is closed there, should it have been opened, when the answer is %s',
    async (verdict) => {
      const { way, told } = await open(verdict, false);
      expect(way).toBeUndefined();
      expect(told).toEqual(['listen', 'streamLeft', 'unlisten']);
    },
  );

  it('needs no end when its node says no', async () => {
    const { way, told } = await open('no', false);
    expect(way).toBeUndefined();
    expect(told).toEqual(['listen', 'unlisten']);
  });
});
