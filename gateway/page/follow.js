import { follow, Refusal } from './api.js';
import { el, empty, notice } from './dom.js';
import { bytes, clock, count, span, whom } from './format.js';
import { addressOf, TargetFields } from './target.js';

/** Lines that are kept on the page. */
const kept = 500;

/** What happens to somebody, as it happens. */
export function followView({ watch, query, refused }) {
  const asked = { hub: query.get('hub') ?? '', kind: query.get('kind') ?? 'user', name: query.get('name') ?? '' };
  const fields = new TargetFields(asked, watch.hubs);
  const payloads = el('input', { type: 'checkbox', name: 'payloads' });
  const payloadsHint = el('small');
  const story = new Story(watch);
  const status = el('div', { 'aria-live': 'polite' });
  let stream;
  const start = el('button', { type: 'submit' }, 'Follow');
  const stop = el('button.quiet', { type: 'button', onclick: () => end() }, 'Stop');
  const end = () => stream?.abort();

  const begin = async () => {
    end();
    const mine = new AbortController();
    stream = mine;
    story.clear();
    tell(true);
    try {
      await follow(asked, payloads.checked, mine.signal, (line) => {
        if (stream === mine) story.add(line);
      });
      if (stream === mine) status.replaceChildren(notice('bad', 'The node ended it. Follow again when it answers.'));
    } catch (error) {
      if (stream === mine && error.name !== 'AbortError') {
        if (error instanceof Refusal) refused(error);
        status.replaceChildren(
          notice('bad', error instanceof Refusal ? error.message : 'The node does not answer any more.'),
        );
      }
    }
    if (stream === mine) tell(false);
  };
  const tell = (on) => {
    stop.hidden = !on;
    if (on) status.replaceChildren();
    else story.quiet();
  };
  const go = (event) => {
    event.preventDefault();
    const address = addressOf('follow', fields.value);
    if (location.hash === address) void begin();
    else location.hash = address;
  };
  const know = () => {
    fields.know(watch.hubs);
    const allowed = watch.picture?.payloads ?? false;
    payloads.disabled = !allowed;
    payloadsHint.textContent = allowed ? '' : 'off: SIGNALBOX_ADMIN_PAYLOAD_BYTES is 0';
  };
  payloads.addEventListener('change', () => {
    if (!stop.hidden) void begin();
  });
  const form = el(
    'form.card.line',
    { onsubmit: go },
    ...fields.elements,
    el('label.check', {}, payloads, el('span', {}, 'Show payloads'), payloadsHint),
    el('span.pair', {}, start, stop),
  );
  stop.hidden = true;
  know();
  const unlisten = watch.listen(know);
  if (query.has('kind')) void begin();
  else story.hint();
  const element = el('div', {}, el('h1', {}, 'Follow'), form, status, story.element);
  return {
    element,
    close: () => {
      unlisten();
      end();
    },
  };
}

/** The lines, newest last; it stays at the end unless somebody reads further up. */
class Story {
  constructor(watch) {
    this.watch = watch;
    this.list = el('ol.story', { role: 'log', 'aria-label': 'What happened', tabindex: '0' });
    this.count = el('span.muted');
    this.lost = el('span.badge.warn', { hidden: true });
    this.dot = el('i.dot');
    this.element = el(
      'section.card.follow',
      {},
      el('h2', {}, this.dot, 'What happens', this.count, this.lost),
      this.list,
    );
    this.clear();
  }

  hint() {
    this.list.replaceChildren(
      empty(
        'Whom do you follow?',
        'A user is seen from the handshake on, on whatever node. Messages show their kind and size.',
      ),
    );
  }

  clear() {
    this.seen = 0;
    this.missed = 0;
    this.quiet();
    this.list.replaceChildren();
    this.#tell();
  }

  /** The node follows. Not before: what happens until then is not seen. */
  live() {
    this.dot.className = 'dot good beat';
    this.list.replaceChildren(empty('Nothing yet', 'What happens from now on appears here.'));
  }

  quiet() {
    this.dot.className = 'dot';
  }

  add(line) {
    if (line.event === 'following') this.live();
    if (line.event === 'alive' || line.event === 'following') return;
    const atEnd = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 40;
    if (this.seen === 0) this.list.replaceChildren();
    if (line.event === 'lost') this.missed += line.count;
    else this.seen++;
    this.list.append(row(line, this.watch));
    if (this.list.childElementCount > kept) this.list.firstElementChild.remove();
    if (atEnd) this.list.scrollTop = this.list.scrollHeight;
    this.#tell();
  }

  #tell() {
    this.count.textContent = this.seen === 0 ? '' : ` ${count(this.seen)}`;
    this.lost.hidden = this.missed === 0;
    this.lost.textContent = `${count(this.missed)} left out: too many at once`;
  }
}

const kinds = {
  opened: 'good',
  joined: 'info',
  left: 'info',
  sent: 'send',
  written: 'send',
  received: 'come',
  closed: 'bad',
  refused: 'bad',
  lost: 'warn',
};

const words = {
  opened: ({ transport, protocol }) => `connected by ${transport}, ${protocol}`,
  refused: ({ reason }) => `ended before its handshake: ${reason}`,
  closed: ({ reason, seconds }) => `${reason}, after ${span(seconds * 1000)}`,
  joined: ({ group }) => `group ${group}`,
  left: ({ group }) => `group ${group}`,
  sent: ({ to, receivers, bytes: size }) => `the app sent to ${whom(to)}: ${count(receivers)} here, ${bytes(size)}`,
  written: ({ messages, bytes: size }) => `to the client: ${messages.join(', ')}, ${bytes(size)}`,
  received: ({ messages, bytes: size }) => `from the client: ${messages.join(', ')}, ${bytes(size)}`,
  lost: ({ count: left }) => `${count(left)} happenings were left out`,
};

function row(line, watch) {
  const { event, at, user, connection, hub, payload, node } = line;
  const who =
    connection && el('span.who', { title: connection }, user ?? 'anonymous', el('code', {}, connection.slice(0, 6)));
  return el(
    'li',
    {},
    el('time', {}, clock(at)),
    el(`span.badge.${kinds[event] ?? 'info'}`, {}, event),
    el('span.what', {}, who, who && ' ', words[event]?.(line) ?? JSON.stringify(line)),
    hub && el('span.where', {}, `${hub} · ${watch.label(node)}`),
    payload && el('pre', {}, payload.text, payload.cut ? ' …' : '', payload.base64 ? ' (base64)' : ''),
  );
}
