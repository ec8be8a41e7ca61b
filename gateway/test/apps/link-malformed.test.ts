import { readFileSync } from 'node:fs';
import { frame } from '@signalbox/app-sdk/protocol';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { FakeCarried, type LinkDoor, startLinkDoor } from './link-door.ts';
import { ScriptedApp } from './scripted-app.ts';

const file = new URL('../../../app-sdk/test/vectors/service-protocol.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: { id: string; hex?: string }[] };
const bodies = vectors.flatMap(({ hex }) => (hex === undefined ? [] : [Buffer.from(hex, 'hex')]));

let door: LinkDoor;
beforeAll(async () => {
  door = await startLinkDoor();
});
afterAll(() => door[Symbol.dispose]());
afterEach(async () => {
  expect(door.defects).toEqual([]);
  await (await door.app()).settled();
});

/** A link that carries the client the vectors speak of. */
async function carrying(): Promise<ScriptedApp> {
  const { app, link } = await door.linked();
  for (const id of ['c1', 'conn1']) {
    const client = new FakeCarried(id);
    link.open(client, client.info(), Buffer.from('r'));
  }
  return app;
}

/** The link answers still, or it was closed in good order; never with the code of a defect. */
async function endsWell(app: ScriptedApp): Promise<void> {
  const closed = app.closed.then((code) => expect([1000, 1006]).toContain(code));
  await Promise.race([app.settled(), closed]);
  app.leave();
  await closed;
}

test('the data file has bodies of every kind of message', () => {
  expect(bodies.length).toBeGreaterThan(90);
});

test('every vector, whoever it is meant for, leaves the link up or closes it in good order', async () => {
  for (const body of bodies) {
    const app = await carrying();
    app.socket.send(frame(body));
    await endsWell(app);
  }
});

test('mutated vectors leave the link up or close it in good order', async () => {
  const mutation = fc.record({
    body: fc.constantFrom(...bodies),
    changes: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
    cut: fc.option(fc.nat(), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(mutation, async ({ body, changes, cut }) => {
      const bytes = Buffer.from(body);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      const app = await carrying();
      app.socket.send(frame(cut === undefined ? bytes : bytes.subarray(0, cut % bytes.length)));
      await endsWell(app);
    }),
    { numRuns: 300 },
  );
});

test('random bytes after the handshake, and before it, never harm the node', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.boolean(), async (bytes, handshaken) => {
      const app = handshaken ? await carrying() : await new ScriptedApp(door.port).opened();
      app.socket.send(bytes);
      app.socket.close(1000); // what looks like the start of a long message would wait for the rest of it
      expect(await app.closed).toBe(1000);
    }),
    { numRuns: 200 },
  );
});

test('counts that promise more than there is are refused before room is made for them', async () => {
  for (const hex of ['9a07ddffffffff', '9306dfffffffff', '9306a26331c6ffffffff', 'ddffffffff07']) {
    const app = await carrying();
    app.sayBody(hex);
    expect(await app.closed).toBe(1000);
  }
});
