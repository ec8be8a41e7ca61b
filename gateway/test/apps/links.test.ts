import { readPing, type ServiceMessage } from '@signalbox/app-sdk/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Link } from '../../src/apps/link.ts';
import { readNodeNews } from '../../src/apps/link-news.ts';
import { Links } from '../../src/apps/links.ts';
import { type ModeSetting, Modes } from '../../src/core/mode.ts';

interface FakeLink extends Link {
  clients: number;
  taking: boolean;
  readonly said: ServiceMessage[];
}

let time: number;
let drawn: number[];
let turned: string[];
/** What was announced. */
let told: unknown[];
let links: Links;

function makeModes(settings: readonly (readonly [string, ModeSetting])[] = []): Modes {
  const turnedDefault = (hub: string): void => void turned.push(hub);
  return new Modes({ settings: new Map(settings), forgetMs: 1000, now: () => time, turnedDefault });
}

beforeEach(() => {
  time = 0;
  drawn = [];
  turned = [];
  told = [];
  const nodes = { announce: (news: unknown) => void told.push(news), listen: () => undefined };
  const random = (): number => drawn.shift() ?? 0;
  links = new Links({ node: 'n1', label: '', nodes, modes: makeModes(), clientsPerLink: 3, now: () => time, random });
});

function here(server: string, clients = 0, hub = 'chat'): FakeLink {
  const said: ServiceMessage[] = [];
  const link = {
    id: links.nextId(),
    hub,
    server,
    clients,
    taking: true,
    said,
    say: (m: ServiceMessage) => said.push(m),
  };
  links.add(link as unknown as Link);
  return link as unknown as FakeLink;
}

function there(node: string, ...loads: readonly (readonly [server: string, clients: number])[]): void {
  const told = loads.map(([server, clients], i) => ({
    id: `${node}.${i}`,
    hub: 'chat',
    server,
    taking: true,
    clients,
  }));
  links.nodeChanged(node, { label: '', links: told, hubs: [] });
}

const chosen = (wish = {}): string | undefined => {
  const choice = links.choose('chat', wish);
  return choice?.kind === 'here' ? choice.link.id : choice?.link;
};

describe('the link for a client', () => {
  it('is the one here with the fewest clients, even when one elsewhere has fewer', () => {
    here('a', 5);
    const idle = here('a', 2);
    there('n2', ['b', 0]);
    expect(chosen()).toBe(idle.id);
  });

  it('is any of those here that are equally loaded, so that clients who come one at a time spread', () => {
    const [first, second, third] = [here('a'), here('b'), here('c')];
    drawn = [0, 0.4, 0.9];
    expect([chosen(), chosen(), chosen()]).toEqual([first.id, second.id, third.id]);
    second.clients = 1;
    drawn = [0.4];
    expect(chosen()).toBe(third.id);
  });

  it('is of its hub, and takes clients', () => {
    here('a', 0, 'other');
    here('a').taking = false;
    expect(chosen()).toBeUndefined();
    expect(links.takes('chat')).toBe(false);
    expect(links.takes('other')).toBe(true);
  });

  it('elsewhere is the less loaded of two drawn, with the clients that went there since it told', () => {
    there('n2', ['a', 10], ['b', 8]);
    const draw = (): string | undefined => {
      drawn = [0, 0.6];
      return chosen();
    };
    expect([draw(), draw(), draw(), draw()]).toEqual(['n2.1', 'n2.1', 'n2.0', 'n2.1']);
    there('n2', ['a', 1], ['b', 8]);
    expect(draw()).toBe('n2.0');
  });

  it('is one of its own app server where its token prefers it, else any', () => {
    here('a', 0);
    const own = here('b', 9);
    expect(chosen({ server: 'b', sticky: 'Preferred' })).toBe(own.id);
    expect(chosen({ server: 'gone', sticky: 'Preferred' })).not.toBeUndefined();
    there('n2', ['c', 0]);
    expect(chosen({ server: 'c', sticky: 'Preferred' })).toBe('n2.0');
  });

  it('is none where its token requires an app server that is not there', () => {
    here('a');
    expect(chosen({ server: 'gone', sticky: 'Required' })).toBeUndefined();
    expect(chosen({ server: 'a', sticky: 'Required' })).not.toBeUndefined();
  });

  it('is neither one that was tried nor one of the app server that it leaves', () => {
    const first = here('a');
    const second = here('a', 1);
    here('b', 2);
    expect(chosen({ not: new Set([first.id]) })).toBe(second.id);
    expect(chosen({ not: new Set(['a']) })).toBe('n1.3');
  });

  it('is not on a node that left or was lost', () => {
    there('n2', ['a', 0]);
    links.nodeLost('n2');
    expect(chosen()).toBeUndefined();
  });
});

it('app servers are named once each, in an order that stays', () => {
  here('b');
  here('b');
  there('n2', ['c', 0], ['a', 0]);
  expect(links.servers('chat')).toEqual(['a', 'b', 'c']);
});

describe('an app server whose link is full', () => {
  const asked = ({ said }: FakeLink): unknown[] =>
    said.map((message) => (message.kind === 'Ping' ? readPing(message) : message));

  it('is asked for another link, and not again within ten seconds', () => {
    const link = here('a', 2);
    links.changed(link);
    expect(asked(link)).toEqual([]);
    link.clients = 3;
    links.changed(link);
    links.changed(link);
    expect(asked(link)).toEqual([{ topic: 'target', instanceId: 'n1' }]);
    time = 10_000;
    links.changed(link);
    expect(asked(link)).toHaveLength(2);
  });

  it('is not asked over a link that takes nobody', () => {
    const link = here('a', 9);
    link.taking = false;
    links.changed(link);
    expect(asked(link)).toEqual([]);
  });
});

describe('a node that stops', () => {
  it('knows who has no link elsewhere that takes clients, one link for each', () => {
    const [first] = [here('a'), here('b'), here('c', 0, 'other')];
    const last = here('a');
    expect(links.sole().map(({ server, hub }) => [server, hub])).toEqual([
      ['a', 'chat'],
      ['b', 'chat'],
      ['c', 'other'],
    ]);
    there('n2', ['b', 0], ['c', 0]);
    expect(links.sole().map(({ server, hub }) => [server, hub])).toEqual([
      ['a', 'chat'],
      ['c', 'other'],
    ]);
    first!.taking = false;
    expect(links.sole()).toContain(last);
    links.nodeLeft('n2');
    expect(
      links
        .sole()
        .map(({ server }) => server)
        .sort(),
    ).toEqual(['a', 'b', 'c']);
  });

  it('knows where links can be made: not on a node that stops too', () => {
    expect(links.haven()).toBeUndefined();
    const news = { label: '', links: [], hubs: [] };
    links.nodeChanged('n2', news);
    links.nodeChanged('n3', news);
    expect(links.haven()).toBe('n2');
    links.nodeChanged('n2', { ...news, stopping: true });
    expect(links.haven()).toBe('n3');
    links.nodeLost('n3');
    expect(links.haven()).toBeUndefined();
  });

  it('tells the others', () => {
    links.stop();
    here('a');
    expect(told.map((news) => readNodeNews(news).stopping)).toEqual([true, true]);
  });
});

describe('the mode of a hub', () => {
  it('is what its setting says, whatever comes', () => {
    const modes = makeModes([
      ['push', 'serverless'],
      ['*', 'default'],
    ]);
    modes.linkSeen('push');
    expect([modes.of('push'), modes.of('chat')]).toEqual(['serverless', 'default']);
    expect(turned).toEqual([]);
  });

  it('auto is serverless until the first link, then default until none was seen for the time that counts', () => {
    const modes = makeModes();
    expect(modes.of('chat')).toBe('serverless');
    modes.linkSeen('chat');
    time = 999;
    expect(modes.of('chat')).toBe('default');
    expect(modes.recent()).toEqual([['chat', 999]]);
    time = 1000;
    expect(modes.of('chat')).toBe('serverless');
    expect(modes.recent()).toEqual([]);
  });

  it('auto tells once when it turns, also when another node saw the link', () => {
    const modes = makeModes();
    modes.linkSeen('chat', 500);
    modes.linkSeen('chat');
    expect(turned).toEqual(['chat']);
    modes.linkSeen('old', 2000);
    expect(modes.of('old')).toBe('serverless');
  });
});
