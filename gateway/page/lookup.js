import { close, lookup } from './api.js';
import { confirm } from './confirm.js';
import { el, empty, notice } from './dom.js';
import { bytes, count, span } from './format.js';
import { addressOf, TargetFields } from './target.js';

/** Who is connected, where, and how they are. */
export function lookupView({ watch, query, refused }) {
  const asked = { hub: query.get('hub') ?? '', kind: query.get('kind') ?? 'user', name: query.get('name') ?? '' };
  const fields = new TargetFields(asked, watch.hubs);
  const results = el('div.results', { 'aria-live': 'polite' });
  const go = (event) => {
    event.preventDefault();
    const address = addressOf('lookup', fields.value);
    if (location.hash === address) void look();
    else location.hash = address;
  };
  const form = el('form.card.line', { onsubmit: go }, ...fields.elements, el('button', { type: 'submit' }, 'Look up'));
  const look = async () => {
    results.setAttribute('aria-busy', 'true');
    try {
      results.replaceChildren(...found(await lookup(asked), watch, act));
    } catch (error) {
      refused(error);
      results.replaceChildren(notice('bad', error.message));
    }
    results.removeAttribute('aria-busy');
  };
  const act = (one) => void closeOne(one, results, refused, look);
  if (query.has('kind')) void look();
  else results.append(empty('Whom do you look for?', 'A user, a group or a connection, on whatever node.'));
  const stop = watch.listen(() => fields.know(watch.hubs));
  return { element: el('div', {}, el('h1', {}, 'Look up'), form, results), close: stop };
}

async function closeOne({ hub, connection, user }, results, refused, again) {
  const who = user ? `of ${user}` : 'of an anonymous client';
  const question = {
    title: 'Close this connection?',
    text: `${connection}, ${who}, in hub ${hub}. The client may connect again.`,
    action: 'Close the connection',
    input: 'Reason (shown to clients that may see details)',
  };
  const reason = await confirm(question);
  if (reason === undefined) return;
  try {
    await close(hub, connection, reason);
    await again();
    results.prepend(notice('good', `Closed ${connection}.`));
  } catch (error) {
    refused(error);
    results.prepend(notice('bad', error.message));
  }
}

function found({ at, connections, missing, more, whole }, watch, act) {
  const silent = missing.map(({ node, label }) => label || node).join(', ');
  const heading = `${count(connections.length)}${more ? ' or more' : ''} ${connections.length === 1 ? 'connection' : 'connections'}`;
  return [
    !whole && notice('bad', 'Redis is down: only this node was asked.'),
    silent !== '' && notice('warn', `No answer from ${silent}: who is there may be missing.`),
    connections.length > 0
      ? el('h2', {}, heading)
      : empty('Nobody is there', 'No open connection fits. Names are exact, and users and groups belong to one hub.'),
    ...connections.map((one) => card(one, at, watch, act)),
  ].filter(Boolean);
}

function card(one, now, watch, act) {
  const { hub, connection, user, groups, groupCount, app } = one;
  const target = { hub, kind: 'connection', name: connection };
  const facts = [
    ['Hub', hub],
    ['Node', watch.label(one.node)],
    ['Since', `${new Date(one.since).toLocaleString()} (${span(now - one.since)})`],
    ['Transport', `${one.transport}, ${one.protocol || 'no protocol yet'}`],
    ['Sent to it', `${count(one.sent.messages)} frames, ${bytes(one.sent.bytes)}`],
    ['Came from it', `${count(one.received.messages)} units, ${bytes(one.received.bytes)}`],
    ['Last heard', `${span(one.silentSeconds * 1000)} ago`],
    ['Waiting for it', bytes(one.queuedBytes)],
    ['Run by', app ? `${app.server} on ${watch.label(app.node)}` : 'the gateway'],
  ];
  const more = groupCount > groups.length ? ` and ${count(groupCount - groups.length)} more` : '';
  return el(
    'article.card.person',
    {},
    el(
      'header',
      {},
      el('h3', {}, user ?? 'anonymous', el(`span.badge.${one.state === 'open' ? 'good' : 'warn'}`, {}, one.state)),
      el('code', {}, connection),
    ),
    el('dl.facts', {}, ...facts.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value)))),
    el(
      'p.groups',
      {},
      el('span.muted', {}, groupCount === 0 ? 'In no group' : 'In groups '),
      ...groups.map((group) => el('a.chip', { href: addressOf('lookup', { hub, kind: 'group', name: group }) }, group)),
      more,
    ),
    el(
      'div.actions',
      {},
      user !== undefined &&
        el('a.button', { href: addressOf('follow', { hub, kind: 'user', name: user }) }, 'Follow the user'),
      el('a.button', { href: addressOf('follow', target) }, 'Follow'),
      el('a.button', { href: addressOf('send', target) }, 'Send…'),
      el('button.danger', { type: 'button', onclick: () => act(one) }, 'Close…'),
    ),
  );
}
