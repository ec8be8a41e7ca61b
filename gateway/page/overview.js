import { Chart } from './charts.js';
import { el, empty, notice, table } from './dom.js';
import { bytes, count, ms, percent, rate, span } from './format.js';
import { addressOf } from './target.js';

/** The cluster at a glance. */
export function overviewView({ watch }) {
  const top = el('div.tiles');
  const notices = el('div');
  const tables = el('div.tables');
  const charts = [
    new Chart({ title: 'Connections', format: count }),
    new Chart({ title: 'Messages per second', format: rate }),
    new Chart({ title: 'Redis and back', format: ms }),
  ];
  const element = el(
    'div',
    {},
    el('h1.hidden', {}, 'Overview'),
    notices,
    top,
    el('div.charts', {}, ...charts.map((chart) => chart.element)),
    tables,
  );
  const show = () => {
    notices.replaceChildren(...noticesOf(watch));
    element.classList.toggle('stale', watch.error !== undefined);
    if (watch.picture === undefined) return;
    top.replaceChildren(...tiles(watch.picture));
    const histories = [watch.connections, watch.messages, watch.probes];
    for (const [at, { times, series }] of histories.entries()) charts[at].show(times, series);
    tables.replaceChildren(nodesTable(watch), hubsTable(watch.picture), linksTable(watch.picture), ends(watch.picture));
  };
  let stop;
  queueMicrotask(() => {
    stop = watch.listen(show);
  });
  return {
    element,
    close: () => {
      stop?.();
      for (const chart of charts) chart.close();
    },
  };
}

function noticesOf({ error, picture }) {
  if (error !== undefined) return [notice('bad', `${error.message} What you see is what it told last; asking again.`)];
  if (picture === undefined) return [];
  const silent = picture.missing.map(({ node, label }) => label || node).join(', ');
  const redis = 'Redis is down: you see the node that you ask, and no other. Its clients stay connected.';
  return [
    !picture.whole && notice('bad', redis),
    silent !== '' && notice('warn', `No answer from ${silent}: it hangs, is cut off, or has just ended.`),
  ].filter(Boolean);
}

function sum(nodes, value) {
  return nodes.reduce((total, node) => total + value(node), 0);
}

function tiles({ nodes, missing, whole }) {
  const probes = nodes.map(({ redis }) => redis.probeMs).filter((value) => value !== undefined);
  const used = nodes.some(({ redis }) => redis.used);
  const drops = sum(nodes, ({ rates }) => rates.dropped);
  return [
    tile(
      'Nodes',
      count(nodes.length),
      missing.length > 0 ? `${missing.length} silent` : 'all answer',
      missing.length > 0,
    ),
    tile('Connections', count(sum(nodes, ({ connections }) => connections)), `in ${count(hubsOf(nodes).size)} hubs`),
    tile(
      'To clients',
      `${rate(sum(nodes, ({ rates }) => rates.delivered))}/s`,
      `${bytes(sum(nodes, ({ rates }) => rates.deliveredBytes))}/s`,
    ),
    tile(
      'From clients',
      `${rate(sum(nodes, ({ rates }) => rates.received))}/s`,
      `${bytes(sum(nodes, ({ rates }) => rates.receivedBytes))}/s`,
    ),
    tile(
      'Redis',
      !used ? 'none' : whole ? 'up' : 'down',
      used ? `and back ${ms(Math.max(...probes))}` : 'one node',
      !whole,
    ),
    tile('Lost', `${rate(drops)}/s`, drops > 0 ? 'messages not delivered' : 'nothing is lost', drops > 0),
  ];
}

function tile(name, value, more, bad = false) {
  return el(
    bad ? 'div.tile.card.bad' : 'div.tile.card',
    {},
    el('span', {}, name),
    el('b', {}, value),
    el('small', {}, more),
  );
}

function section(title, note, content) {
  return el('section.card', {}, el('h2', {}, title, note && el('small', {}, note)), content);
}

const nodeColumns = [
  { name: 'Node' },
  { name: 'State' },
  { name: 'Up' },
  { name: 'Connections', number: true },
  { name: 'To clients', number: true },
  { name: 'From clients', number: true },
  { name: 'Core', number: true },
  { name: 'Memory', number: true },
  { name: 'Redis', number: true },
  { name: 'Version' },
];

function nodesTable(watch) {
  const { nodes, missing, at } = watch.picture;
  const gone = [...watch.gone.values()];
  const rows = [
    ...nodes.map((node) => nodeRow(node, at)),
    ...missing.map(({ node, label }) => absentRow(label || node, node, 'silent', 'warn')),
    ...gone.map(({ node, label, goneAt }) => absentRow(label || node, node, `gone for ${span(at - goneAt)}`, 'bad')),
  ];
  return section('Nodes', '', table('Nodes of the cluster', nodeColumns, rows));
}

function nodeRow(node, now) {
  const { rates, redis } = node;
  const state = node.draining ? ['stopping', 'warn'] : redis.up ? ['ok', 'good'] : ['no Redis', 'bad'];
  return [
    named(node.label || node.node, node.node),
    badge(...state),
    span(now - node.startedAt),
    count(node.connections),
    `${rate(rates.delivered)}/s`,
    `${rate(rates.received)}/s`,
    percent(rates.busy),
    bytes(node.rssBytes),
    redis.used ? ms(redis.probeMs) : '–',
    `${node.version}, Node ${node.runtime.replace('v', '')}`,
  ];
}

function absentRow(label, id, state, kind) {
  return [named(label, id), badge(state, kind), ...Array(nodeColumns.length - 2).fill('–')];
}

function named(label, id) {
  return el('span.named', {}, el('b', {}, label), label === id ? null : el('code', {}, id));
}

function badge(text, kind) {
  return el(`span.badge.${kind}`, {}, text);
}

/** Of all nodes, by name. */
function hubsOf(nodes) {
  const hubs = new Map();
  for (const node of nodes) {
    for (const one of node.hubs) {
      const hub = hubs.get(one.hub) ?? {
        mode: one.mode,
        connections: 0,
        users: 0,
        transports: {},
        protocols: {},
        on: 0,
      };
      hub.connections += one.connections;
      hub.users += one.users;
      hub.on++;
      for (const kind of ['transports', 'protocols']) {
        for (const [name, value] of Object.entries(one[kind])) hub[kind][name] = (hub[kind][name] ?? 0) + value;
      }
      hubs.set(one.hub, hub);
    }
  }
  return hubs;
}

const hubColumns = [
  { name: 'Hub' },
  { name: 'Run by' },
  { name: 'Connections', number: true },
  { name: 'Transports' },
  { name: 'Protocols' },
  { name: 'On nodes', number: true },
  { name: '' },
];

function hubsTable({ nodes }) {
  const hubs = [...hubsOf(nodes)].sort(([, a], [, b]) => b.connections - a.connections);
  const more = sum(nodes, ({ moreHubs }) => moreHubs);
  const rows = hubs.map(([name, hub]) => [
    el('b', {}, name),
    hub.mode === 'serverless' ? 'the gateway' : 'app servers',
    count(hub.connections),
    shares(hub.transports),
    shares(hub.protocols),
    count(hub.on),
    el('a', { href: addressOf('follow', { hub: name, kind: 'all' }) }, 'Follow'),
  ]);
  const content =
    rows.length > 0
      ? table('Hubs', hubColumns, rows)
      : empty('No client is connected', 'Hubs appear with their first client.');
  return section('Hubs', more > 0 ? `${count(more)} smaller ones are not shown` : '', content);
}

function shares(counts) {
  const parts = Object.entries(counts).filter(([, value]) => value > 0);
  return parts.map(([name, value]) => `${name} ${count(value)}`).join(', ') || '–';
}

const linkColumns = [
  { name: 'App server' },
  { name: 'Hub' },
  { name: 'Links', number: true },
  { name: 'Clients', number: true },
  { name: 'State' },
  { name: 'On nodes' },
];

function linksTable({ nodes }) {
  const servers = new Map();
  for (const node of nodes) {
    for (const { server, hub, clients, taking } of node.links) {
      const key = JSON.stringify([hub, server]);
      const one = servers.get(key) ?? { server, hub, links: 0, clients: 0, taking: 0, on: new Set() };
      one.links++;
      one.clients += clients;
      one.taking += taking ? 1 : 0;
      one.on.add(node.label || node.node);
      servers.set(key, one);
    }
  }
  const rows = [...servers.values()].map(({ server, hub, links, clients, taking, on }) => [
    el('code', {}, server),
    hub,
    count(links),
    count(clients),
    taking > 0 ? badge('takes clients', 'good') : badge('takes nobody', 'warn'),
    [...on].join(', '),
  ]);
  const none = empty('No app server is linked', 'Hubs that the gateway runs itself need none.');
  return section('App servers', '', rows.length > 0 ? table('App servers and their links', linkColumns, rows) : none);
}

function ends({ nodes }) {
  const closes = total(nodes.map((node) => node.closes));
  const drops = total(nodes.map((node) => node.drops));
  return section(
    'Ends and losses',
    'since each node started',
    el(
      'div.two',
      {},
      reasons('Why connections ended', closes, 'None has ended.'),
      reasons('What was not delivered', drops, 'Nothing was lost.'),
    ),
  );
}

function total(records) {
  const all = new Map();
  for (const record of records)
    for (const [name, value] of Object.entries(record)) all.set(name, (all.get(name) ?? 0) + value);
  return [...all].sort(([, a], [, b]) => b - a);
}

function reasons(title, counts, none) {
  const items = counts.map(([name, value]) =>
    el('div', {}, el('dt', {}, el('code', {}, name)), el('dd', {}, count(value))),
  );
  return el('div', {}, el('h3', {}, title), items.length > 0 ? el('dl.counts', {}, ...items) : el('p.muted', {}, none));
}
