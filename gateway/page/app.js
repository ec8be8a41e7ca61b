import { Refusal, token } from './api.js';
import { el } from './dom.js';
import { followView } from './follow.js';
import { lookupView } from './lookup.js';
import { overviewView } from './overview.js';
import { sendView } from './send.js';
import { signInView } from './sign-in.js';
import { Watch } from './watch.js';

/** Views by the first part of the address; each gives its element and, if it must end something, `close`. */
const views = { '': overviewView, lookup: lookupView, follow: followView, send: sendView };

const main = document.querySelector('main');
const nav = document.querySelector('nav');
const leave = document.querySelector('#leave');
const state = document.querySelector('#state');

const watch = new Watch({ changed: tellState, refused: () => signOut('The token was refused.') });
let shown;

function tellState() {
  const { kind, text } = watch.state;
  state.replaceChildren(el(`i.dot.${kind}`), el('span', {}, text));
}

function show(make, ...facts) {
  shown?.close?.();
  shown = make(...facts);
  main.replaceChildren(shown.element);
}

function route() {
  const address = location.hash.replace(/^#\/?/, '');
  if (address.startsWith('token=')) {
    token.set(decodeURIComponent(address.slice('token='.length)));
    history.replaceState(null, '', '#/'); // out of the address bar and the history
  }
  if (token.get() === '') {
    signOut();
    return;
  }
  const [name = '', query] = location.hash.replace(/^#\/?/, '').split('?');
  const view = Object.hasOwn(views, name) ? name : '';
  for (const link of nav.querySelectorAll('a')) {
    if (link.getAttribute('href') === `#/${view}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  nav.hidden = leave.hidden = false;
  watch.start();
  show(views[view], { watch, query: new URLSearchParams(query), refused: failed });
}

/** What a view does with a refusal that is not about what was asked. */
function failed(error) {
  if (!(error instanceof Refusal)) throw error;
  if (error.status === 401) signOut('The token was refused.');
}

function signOut(why) {
  token.forget();
  watch.stop();
  nav.hidden = leave.hidden = true;
  state.replaceChildren();
  show(signInView, {
    why,
    done: (given) => {
      token.set(given);
      route();
    },
  });
}

leave.addEventListener('click', () => signOut());
addEventListener('hashchange', route);
route();
