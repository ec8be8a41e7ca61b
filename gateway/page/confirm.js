import { el } from './dom.js';

/**
 * Asks before something is done that cannot be undone. Resolves with the text of the field, `''` without one, or undefined
 * when it was not meant.
 * @param {{ title: string, text: string, action: string, input?: string, harmless?: boolean }} question
 * @returns {Promise<string | undefined>}
 */
export function confirm({ title, text, action, input, harmless }) {
  return new Promise((resolve) => {
    const answer = input && el('input', { name: 'answer', autocomplete: 'off' });
    const done = el(harmless ? 'button' : 'button.danger', { type: 'submit' }, action);
    const cancel = el('button.quiet', { type: 'button', onclick: () => dialog.close() }, 'Cancel');
    const form = el(
      'form',
      {
        onsubmit: (event) => {
          event.preventDefault();
          dialog.close('done');
        },
      },
      el('h2', { id: 'question' }, title),
      el('p', {}, text),
      answer && el('label.field', {}, el('span', {}, input), answer),
      el('div.actions', {}, cancel, done),
    );
    const dialog = el('dialog', { 'aria-labelledby': 'question' }, form);
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'done' ? (answer?.value ?? '') : undefined);
    });
    document.body.append(dialog);
    dialog.showModal();
    (answer || cancel).focus();
  });
}
