import { describe, expect, it } from 'vitest';
import { createMemoryBackplane, MemoryExchange } from '../../src/backplane/memory.ts';
import { backplaneSuite } from './backplane.suite.ts';
import { Listener } from './listener.ts';

const exchange = new MemoryExchange();

backplaneSuite('memory', {
  hub: 'test@0:h:chat',
  control: 'test@0',
  make: () => createMemoryBackplane({ prefix: 'test@0', exchange }),
});

describe('a memory backplane without others', () => {
  it('is not remote and is never late', () => {
    const backplane = createMemoryBackplane({ prefix: 'test@0' });
    expect(backplane).toMatchObject({ remote: false, hashTags: false });
    expect(backplane.lateness()).toBe(0);
  });

  it('never meets another one of the same process', async () => {
    const [one, two] = [createMemoryBackplane({ prefix: 'test@0' }), createMemoryBackplane({ prefix: 'test@0' })];
    await one.start(new Listener());
    await two.start(new Listener());
    await two.watch('topic');
    expect(await one.publish('topic', Buffer.from('x'))).toBe(0);
  });
});
