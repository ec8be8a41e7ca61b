const { signalR } = window;
const [login, say] = document.forms;
const state = document.querySelector('#state');
const messages = document.querySelector('#messages');

/** @param {string} text */
function show(text) {
  messages.append(Object.assign(document.createElement('li'), { textContent: text }));
}

/** @param {string} user */
async function enter(user) {
  const answer = await fetch(`login?user=${encodeURIComponent(user)}`, { method: 'POST' });
  const token = await answer.text();
  const chat = new signalR.HubConnectionBuilder()
    .withUrl('chat', { accessTokenFactory: () => token })
    .withAutomaticReconnect()
    .build();
  chat.on('Welcome', (you) => {
    state.textContent = `connected as ${you.user}`;
  });
  chat.on('ReceiveMessage', (from, text) => show(`${from}: ${text}`));
  chat.on('AskMood', () => 'curious');
  chat.onreconnecting(() => {
    state.textContent = 'reconnecting …';
  });
  chat.onclose(() => {
    state.textContent = 'not connected';
  });
  await chat.start();
  login.hidden = true;
  say.hidden = false;
  say.addEventListener('submit', (event) => {
    event.preventDefault();
    void chat.invoke('SendMessage', say.elements.text.value);
    say.reset();
  });
}

login.addEventListener('submit', (event) => {
  event.preventDefault();
  void enter(login.elements.user.value);
});
