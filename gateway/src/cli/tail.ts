import { AdminPort, adminAbout, adminOption } from './admin-port.ts';
import { type Arguments, type Command, Misuse } from './command.ts';
import { happeningLine } from './happening-line.ts';

/** Follows somebody. */
export const tailCommand: Command = {
  summary: 'Follow a user, a group, a connection or a hub: what happens to them, on any node, as it happens.',
  usage: '[--hub <hub>] [--user <id> | --group <name> | --connection <id>] [options]',
  about: [...adminAbout, 'Without a hub: in every hub. It goes on until it is ended (Ctrl-C), with exit code 0 then.'],
  options: {
    hub: { kind: 'text', value: 'hub', doc: 'Name of the hub.' },
    user: { kind: 'text', value: 'id', doc: 'The connections of a user.' },
    group: { kind: 'text', value: 'name', doc: 'A group: its members and what is sent to it.' },
    connection: { kind: 'text', value: 'id', doc: 'One connection.' },
    payloads: { kind: 'flag', doc: 'With messages, where SIGNALBOX_ADMIN_PAYLOAD_BYTES of the node allows it.' },
    admin: adminOption,
    json: { kind: 'flag', doc: 'Each happening as a line of JSON.' },
  },
  positionals: { least: 0, most: 0 },
  async run(given, around) {
    const port = new AdminPort(given.text('admin'), around);
    const json = given.flag('json');
    for await (const line of port.lines(`/operators/follow?${queryOf(given)}`)) {
      if (json) around.out(JSON.stringify(line));
      else if (line['event'] !== 'alive') around.out(happeningLine(line));
    }
  },
};

function queryOf(given: Arguments): URLSearchParams {
  const kinds = ['user', 'group', 'connection'].filter((kind) => given.text(kind) !== undefined);
  if (kinds.length > 1) throw new Misuse(`only one of ${kinds.map((kind) => `--${kind}`).join(', ')} may be given`);
  const query = new URLSearchParams({ hub: given.text('hub') ?? '' });
  for (const kind of kinds) query.set(kind, given.need(kind));
  if (given.flag('payloads')) query.set('payloads', 'true');
  return query;
}
