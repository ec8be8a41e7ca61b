import { afterAll, beforeAll, expect, test } from 'vitest';
import { within } from '../../support/until.ts';
import { differences } from './differences.ts';
import { openOurs, openStock, type Place } from './place.ts';
import { Room, type Transcript } from './room.ts';
import type { Script } from './script.ts';
import { scripts } from './scripts.ts';

let stock: Place;
let ours: Place;

beforeAll(async () => {
  stock = await openStock();
  ours = await openOurs();
});

afterAll(async () => {
  await stock?.[Symbol.asyncDispose]();
  await ours?.[Symbol.asyncDispose]();
});

async function played(script: Script, place: Place): Promise<Transcript> {
  const room = new Room(place, script.hub);
  await within(`"${script.title}" ends with ${place.name}`, script.play(room));
  return await room.end();
}

/** What ours is expected to answer: what the stock hub does, but for the listed differences. */
function expected({ title }: Script, stock: Transcript): Transcript {
  let text = stock;
  for (const [, from, to] of differences.flatMap(({ passages }) => passages).filter(([script]) => script === title)) {
    expect(text, 'a listed difference is no more').toContain(from);
    text = text.replaceAll(from, to);
  }
  return text;
}

test.each(scripts.map((script) => [script.title, script] as const))('%s', async (_, script) => {
  const [theirs, heard] = [await played(script, stock), await played(script, ours)];
  expect(heard).toBe(expected(script, theirs));
});

test('the titles of scripts differ, and each listed difference belongs to one', () => {
  const titles = new Set(scripts.map(({ title }) => title));
  expect(titles.size).toBe(scripts.length);
  const listed = differences.flatMap(({ passages }) => passages.map(([title]) => title));
  expect(listed.filter((title) => !titles.has(title))).toEqual([]);
});
