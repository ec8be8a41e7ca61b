import { RestError, type SignalboxClient, SignalboxError } from '@signalbox/app-sdk';
import { type Arguments, type Command, Failure, Misuse } from './command.ts';
import { asMisuse, serviceOf } from './service.ts';

/** Sends one message by REST. */
export const sendCommand: Command = {
  summary: 'Send a message by REST, with SIGNALBOX_CONNECTION_STRING.',
  usage: '--hub <hub> (--all | --group <name> | --user <id> | --connection <id>) <method> [argument …]',
  about: [
    'An argument that is JSON is sent as it is read (42, true, {"a":1}), any other as text. In quotes of JSON it is text',
    'always: \'"42"\'.',
  ],
  options: {
    hub: { kind: 'text', value: 'hub', doc: 'Name of the hub.' },
    all: { kind: 'flag', doc: 'To every client of the hub.' },
    group: { kind: 'text', value: 'name', doc: 'To the members of a group.' },
    user: { kind: 'text', value: 'id', doc: 'To the connections of a user.' },
    connection: { kind: 'text', value: 'id', doc: 'To one connection.' },
    json: { kind: 'flag', doc: 'Tell the outcome as a JSON object.' },
  },
  positionals: { least: 1, most: 100 },
  async run(given, around) {
    const to = recipientOf(given);
    await using service = serviceOf(around, given.need('hub'));
    const [method = '', ...rest] = given.positionals;
    await failing(() => service.send(to, method, ...rest.map(argumentOf)));
    around.out(
      given.flag('json') ? JSON.stringify({ hub: service.name, to, method }) : `sent ${method} in ${service.name}`,
    );
  },
};

type Recipient = Exclude<Parameters<SignalboxClient['send']>[0], string>;

function recipientOf(given: Arguments): Recipient {
  const named = ['group', 'user', 'connection'].flatMap((kind) => given.texts(kind).map((name) => ({ [kind]: name })));
  const all = given.flag('all') ? [{ all: true }] : [];
  const [to, second] = [...all, ...named];
  if (to === undefined || second !== undefined) {
    throw new Misuse('exactly one of --all, --group, --user and --connection must be given');
  }
  return to as unknown as Recipient;
}

function argumentOf(word: string): unknown {
  try {
    return JSON.parse(word);
  } catch {
    return word; // no JSON, so text
  }
}

/** What the service refuses is a failure; what the SDK finds wrong before it asks is a misuse. */
async function failing(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (error instanceof RestError) throw new Failure(`the service answered ${error.status}: ${error.message}`);
    if (error instanceof SignalboxError) throw new Failure(`${error.code}: ${error.message}`);
    throw asMisuse(error);
  }
}
