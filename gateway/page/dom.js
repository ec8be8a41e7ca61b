/**
 * Makes an element. Texts become text nodes: nothing that comes from a client or an app is ever read as HTML.
 * @param {string} name tag, with classes behind dots: `p.notice`
 * @param {Record<string, unknown>} [attributes] `on…` are listeners; false and undefined are left out
 * @param {...(Node | string | number | null | undefined | false)} children
 * @returns {HTMLElement}
 */
export function el(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split('.');
  const element = document.createElement(tag);
  if (classes.length > 0) element.className = classes.join(' ');
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, '');
    else if (value !== false && value !== undefined) element.setAttribute(key, String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false).map(asNode));
  return element;
}

function asNode(child) {
  return child instanceof Node ? child : document.createTextNode(String(child));
}

/**
 * A table whose rows are cards on a narrow screen: each cell carries the name of its column.
 * @param {string} caption read by who does not see the heading
 * @param {readonly { name: string, number?: boolean }[]} columns
 * @param {readonly (readonly unknown[])[]} rows
 */
export function table(caption, columns, rows) {
  const head = columns.map(({ name, number }) => el(number ? 'th.number' : 'th', { scope: 'col' }, name));
  const cells = (row) =>
    row.map((cell, at) => el(columns[at].number ? 'td.number' : 'td', { 'data-name': columns[at].name }, cell));
  const body = rows.map((row) => el('tr', {}, ...cells(row)));
  const parts = [el('caption', {}, caption), el('thead', {}, el('tr', {}, ...head)), el('tbody', {}, ...body)];
  return el('div.scroll', {}, el('table', {}, ...parts));
}

/** A labelled field of a form. */
export function field(label, control, hint) {
  return el('label.field', {}, el('span', {}, label), control, hint && el('small', {}, hint));
}

/** What is shown where there is nothing to show. */
export function empty(title, text) {
  return el('div.empty', {}, el('strong', {}, title), el('span', {}, text));
}

/** A notice about something that is not well. @param {'warn' | 'bad' | 'good'} kind */
export function notice(kind, ...children) {
  return el(`p.notice.${kind}`, { role: kind === 'good' ? 'status' : 'alert' }, ...children);
}
