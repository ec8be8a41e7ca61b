import { el, field, notice } from './dom.js';

/** Asks for the token. @param {{ why?: string, done: (token: string) => void }} facts */
export function signInView({ why, done }) {
  const input = el('input', { name: 'token', type: 'password', required: true, autocomplete: 'current-password' });
  const form = el(
    'form.card.sign-in',
    {
      onsubmit: (event) => {
        event.preventDefault();
        done(input.value.trim());
      },
    },
    el('h1', {}, 'Operators only'),
    why && notice('bad', why),
    field('Token', input, 'SIGNALBOX_ADMIN_TOKEN of this node. It stays in this tab.'),
    el('div.actions', {}, el('button', { type: 'submit' }, 'Sign in')),
  );
  queueMicrotask(() => input.focus());
  return { element: form };
}
