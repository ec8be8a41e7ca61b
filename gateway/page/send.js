import { send } from './api.js';
import { confirm } from './confirm.js';
import { el, field, notice } from './dom.js';
import { count, whom } from './format.js';
import { TargetFields } from './target.js';

/** Sends a test message. */
export function sendView({ watch, query, refused }) {
  const asked = { hub: query.get('hub') ?? '', kind: query.get('kind') ?? 'user', name: query.get('name') ?? '' };
  const fields = new TargetFields(asked, watch.hubs, { anyHub: false });
  const plain = { autocomplete: 'off', spellcheck: 'false', autocapitalize: 'none', required: true };
  const target = el('input', { name: 'target', ...plain });
  const args = el('textarea', { name: 'arguments', rows: '4', ...plain }, '["a test"]');
  const result = el('div', { 'aria-live': 'polite' });
  const go = async (event) => {
    event.preventDefault();
    result.replaceChildren();
    const to = fields.value;
    const wrong = notAList(args.value);
    if (wrong !== undefined) {
      result.replaceChildren(notice('bad', wrong));
      args.focus();
      return;
    }
    const question = {
      title: 'Send this message?',
      text: questionOf(to, target.value, watch),
      action: 'Send',
      harmless: true,
    };
    if ((await confirm(question)) === undefined) return;
    try {
      const { exists, reach } = await send(to, target.value, args.value);
      result.replaceChildren(outcome(to, exists, reach));
    } catch (error) {
      refused(error);
      result.replaceChildren(notice('bad', error.message));
    }
  };
  const form = el(
    'form.card.stack',
    { onsubmit: (event) => void go(event) },
    el('div.line', {}, ...fields.elements),
    field('Method of the client', target, 'As in connection.on("…")'),
    field('Arguments', args, 'A JSON array'),
    el('div.actions', {}, el('button', { type: 'submit' }, 'Send…')),
  );
  const stop = watch.listen(() => fields.know(watch.hubs));
  return { element: el('div.narrow', {}, el('h1', {}, 'Send a test message'), form, result), close: stop };
}

function notAList(text) {
  try {
    return Array.isArray(JSON.parse(text)) ? undefined : 'The arguments must be a JSON array, such as ["a test"].';
  } catch (error) {
    return `The arguments must be a JSON array: ${error.message}.`;
  }
}

function questionOf({ hub, kind, name }, target, watch) {
  const who = whom(kind === 'all' ? { kind } : { kind, [kind]: name });
  const hubs = (watch.picture?.nodes ?? []).flatMap((node) => node.hubs).filter((one) => one.hub === hub.toLowerCase());
  const all = hubs.reduce((sum, one) => sum + one.connections, 0);
  const many = kind === 'all' ? ` That is ${count(all)} ${all === 1 ? 'client' : 'clients'}.` : '';
  return `${target}() is called at ${who} of hub ${hub}.${many}`;
}

function outcome({ hub, kind, name }, exists, reach) {
  const who = whom(kind === 'all' ? { kind } : { kind, [kind]: name });
  if (!exists) return notice('warn', `Sent, but ${who} has no connection in hub ${hub}.`);
  if (reach === 'local') return notice('warn', 'Sent to the clients of this node only: Redis is down.');
  return notice('good', `Sent to ${who} of hub ${hub}.`);
}
