// The elements of the page. What is said with the hub is in chat.js.
import { everybody, openChat } from './chat.js';

const maxLines = 500;
const byId = (id) => document.getElementById(id);
const user = new URLSearchParams(location.search).get('user')?.trim();

/** The lines of each place, and what was not seen yet. */
const places = new Map();
let current = everybody;

function placeOf(name) {
  if (!places.has(name)) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = name;
    button.addEventListener('click', () => go(name));
    byId('places').append(button);
    places.set(name, { button, lines: [], unread: 0 });
  }
  return places.get(name);
}

function go(name) {
  current = name;
  const { lines } = placeOf(name);
  placeOf(name).unread = 0;
  byId('log').replaceChildren(...lines);
  byId('log').scrollTop = byId('log').scrollHeight;
  byId('typing').textContent = '';
  byId('leave').hidden = !name.startsWith('#');
  byId('say').elements.text.placeholder = `Message to ${name}`;
  for (const [other, { button }] of places) button.ariaCurrent = String(other === name);
  mark(name);
  if (matchMedia('(pointer: fine)').matches) byId('say').elements.text.focus(); // on a phone it would cover the page
}

function mark(name) {
  const { button, unread } = placeOf(name);
  button.dataset.unread = unread > 0 ? unread : '';
}

function add(name, kind, ...parts) {
  const place = placeOf(name);
  const line = document.createElement('li');
  line.className = kind;
  line.append(...parts);
  place.lines.push(line);
  if (place.lines.length > maxLines) place.lines.shift().remove();
  if (name !== current) {
    place.unread += kind === 'note' ? 0 : 1;
    return mark(name);
  }
  byId('log').append(line);
  line.scrollIntoView();
}

let typed; // clears the line "… is typing"
const view = {
  state(kind, text) {
    byId('state').textContent = text;
    byId('state').dataset.kind = kind;
    for (const button of document.querySelectorAll('#inside form button, .asks button'))
      button.disabled = kind !== 'connected';
  },
  message(place, from, text) {
    const name = document.createElement('b');
    const said = document.createElement('span');
    name.textContent = from;
    said.textContent = text; // as text: what others write is no HTML
    add(place, from === user ? 'own' : 'other', name, said);
    byId('typing').textContent = '';
  },
  note: (place, text) => add(place, 'note', text),
  typing(place, from) {
    if (place !== current) return;
    byId('typing').textContent = `${from} is typing …`;
    clearTimeout(typed);
    typed = setTimeout(() => (byId('typing').textContent = ''), 3000);
  },
};

/** What the hub refuses shows as a line of the place; behind the words of SignalR stands the hub's own sentence. */
async function attempt(act) {
  try {
    await act();
  } catch (error) {
    view.note(current, error.message.split('HubException: ').at(-1));
  }
}

function enter() {
  byId('inside').hidden = false;
  const chat = openChat(user, view);
  let lastTyping = 0;

  byId('open').addEventListener('submit', (event) => {
    event.preventDefault();
    const name = event.target.elements.place.value.trim();
    attempt(async () => {
      if (name.startsWith('#')) await chat.join(name.slice(1));
      event.target.reset();
      go(name);
    });
  });
  byId('leave').addEventListener('click', () =>
    attempt(async () => {
      const name = current;
      await chat.leave(name.slice(1));
      placeOf(name).button.remove();
      places.delete(name);
      go(everybody);
    }),
  );
  byId('say').addEventListener('submit', (event) => {
    event.preventDefault();
    const { text } = event.target.elements;
    attempt(async () => {
      await chat.say(current, text.value);
      text.value = '';
      lastTyping = 0;
    });
  });
  byId('say').addEventListener('input', () => {
    if (!current.startsWith('#') || Date.now() - lastTyping < 1500) return;
    lastTyping = Date.now();
    attempt(() => chat.typing(current.slice(1)));
  });
  byId('who-am-i').addEventListener('click', () =>
    attempt(async () => {
      const you = await chat.whoAmI();
      view.note(current, `You are ${you.user}, connection ${you.connectionId}, at app server process ${you.process}`);
    }),
  );
  byId('count').addEventListener('click', () =>
    attempt(() => chat.count(10, (n) => (byId('counted').textContent = n))),
  );
  go(everybody);
  chat.start();
}

if (user) enter();
else byId('who').hidden = false;
