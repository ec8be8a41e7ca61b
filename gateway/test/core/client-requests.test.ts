import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RequestAnswer, RequestPeer, TransportRequest } from '../../src/core/client-requests.ts';
import type { Asker } from '../../src/protocol/command.ts';
import { type Cores, startAlone, startCores } from '../support/cores.ts';
import { within } from '../support/until.ts';

const hub = 'chat';
const nothing = new Uint8Array();

/** An owner that keeps what it was told, in order. */
class Peer implements RequestPeer {
  readonly here = new Set<string>();
  readonly told: string[] = [];
  /** How it answers; without one it does not. */
  answering: ((request: TransportRequest) => RequestAnswer) | undefined;

  has(_hub: string, connection: string): boolean {
    return this.here.has(connection);
  }

  came(request: TransportRequest, _ask: Asker, answer: (answer: RequestAnswer) => void): void {
    this.told.push(request.what);
    if (this.answering !== undefined) answer(this.answering(request));
  }

  taken(connection: string, _ask: Asker, taken: boolean): void {
    this.told.push(`${connection} ${taken}`);
  }
}

describe('a request of a client that met another node', () => {
  let cores: Cores;
  let owner: Peer;
  let connection: string;

  beforeEach(async () => {
    cores = await startCores(3, { config: { messageBytes: 2048, clientMessageBytes: 1024 } });
    const peers = cores.all.map(({ core }) => {
      const peer = new Peer();
      core.clientRequests.attach(peer);
      return peer;
    });
    const [first] = peers;
    if (first === undefined) throw new Error('there is no peer');
    owner = first;
    connection = cores.at(0).topics.mint(hub, 'ann');
    owner.here.add(connection);
    await cores.at(0).core.clientRequests.hold(hub, connection);
  });
  afterEach(() => cores[Symbol.asyncDispose]());

  const requests = (at: number) => cores.at(at).core.clientRequests;
  const post = (bytes: Uint8Array): TransportRequest => ({ hub, connection, what: 'post', bytes });
  const ownerNode = (): string => cores.at(0).node;

  it('finds the node of its connection, among all that watch for its user', async () => {
    await requests(2).hold(hub, cores.at(2).topics.mint(hub, 'ann'));
    expect(await requests(1).locate(hub, connection)).toBe(ownerNode());
    cores.at(1).backplane.cut();
    expect(await requests(1).locate(hub, connection)).toBe(ownerNode()); // known by now
  });

  it('finds nobody when there is no such connection', async () => {
    expect(await requests(1).locate(hub, cores.at(1).topics.mint(hub, 'bob'))).toBe(undefined);
    owner.here.clear();
    expect(await requests(1).locate(hub, connection)).toBe(undefined);
  });

  it('is refused while Redis is down, and so is the question where it belongs', async () => {
    cores.at(1).backplane.cut();
    await expect(requests(1).locate(hub, connection)).rejects.toMatchObject({ code: 'backplane_down' });
    await expect(requests(1).ask(ownerNode(), post(nothing)).answered).rejects.toThrow('Redis is down');
  });

  it('comes whole, and its answer too, however many messages between nodes that takes', async () => {
    const bytes = Buffer.from(Array.from({ length: 2 * 1024 + 60_000 }, (_, n) => n % 251));
    owner.answering = ({ bytes: came }) => ({ outcome: 'done', bytes: Buffer.from(came).reverse() });
    const { outcome, bytes: back } = await requests(1).ask(ownerNode(), post(bytes)).answered;
    expect(outcome).toBe('done');
    expect(Buffer.from(back).reverse().equals(bytes)).toBe(true);
  });

  it('above what a client may say at once is refused by the owner', async () => {
    const tooMuch = new Uint8Array(2 * 1024 + 64 * 1024 + 1);
    const { outcome } = await requests(1).ask(ownerNode(), post(tooMuch)).answered;
    expect([outcome, owner.told]).toEqual(['too_large', []]);
  });

  it('that nobody answers is lost after its time, and was asked once', async () => {
    const { outcome } = await within('the end', requests(1).ask(ownerNode(), post(nothing), 100).answered);
    expect(await requests(0).fence()).toBe(true);
    expect([outcome, owner.told]).toEqual(['lost', ['post']]);
  });

  it('to a node that is not there is gone at once, and its place forgotten', async () => {
    requests(1).learn(connection, 'no-such-node');
    const { outcome } = await within('the end', requests(1).ask('no-such-node', post(nothing)).answered);
    expect([outcome, requests(1).known(connection)]).toEqual(['gone', undefined]);
  });

  it('under way to a node that dies is gone', async () => {
    const { answered } = requests(1).ask(ownerNode(), post(nothing), 60_000);
    requests(1).nodeLost(ownerNode());
    expect((await answered).outcome).toBe('gone');
  });

  it('tells what became of a poll before any later poll is heard, also to an owner that looks behind its fence', async () => {
    owner.answering = () => ({ outcome: 'done', bytes: Buffer.from('x') });
    const poll = { hub, connection, what: 'poll', bytes: nothing } as const;
    const first = requests(1).ask(ownerNode(), poll);
    await first.answered;
    await requests(1).taken(ownerNode(), connection, first.ask, true);
    expect(await requests(0).fence()).toBe(true);
    expect(owner.told).toEqual(['poll', `${connection} true`]);
    await requests(2).ask(ownerNode(), poll).answered;
    expect(owner.told).toEqual(['poll', `${connection} true`, 'poll']);
    cores.at(0).backplane.cut();
    expect(await requests(0).fence()).toBe(false);
  });
});

it('a node that is alone looks for no other', async () => {
  await using alone = await startAlone();
  expect(await alone.core.clientRequests.locate(hub, alone.topics.mint(hub, undefined))).toBe(undefined);
  expect(alone.core.watches.size).toBe(0);
});
