import {
  keepAlivePing,
  recordSeparator,
  type ServiceMessage,
  serverConnectionTypes,
  writeServiceMessage,
} from '@signalbox/app-sdk/protocol';
import { signToken } from '../../test/support/tokens.ts';
import { serve } from './child.ts';
import { accepted, completion } from './echo-messages.ts';
import { RawLink } from './raw-link.ts';
import { usage } from './usage.ts';

/** The cheapest app server there is: accepts every client, answers every invocation, and keeps nothing of either. */

const hub = 'bench';

async function connect({ port, links }: { port: number; links: number }): Promise<void> {
  const token = await signToken(`http://localhost/server/?hub=${hub}`);
  await Promise.all(Array.from({ length: links }, () => openLink(port, token)));
}

function openLink(port: number, token: string): Promise<void> {
  const fresh = new Set<string>();
  return new Promise((ready) => {
    const answer = (connectionId: string, payload: Uint8Array): void =>
      link.write(writeServiceMessage({ kind: 'ConnectionData', connectionId, payload }));
    const data = (connectionId: string, payload: Uint8Array): void => {
      if (fresh.delete(connectionId)) answer(connectionId, accepted);
      else for (const record of recordsOf(payload)) answer(connectionId, completion(record));
    };
    const heard = (message: ServiceMessage): void => {
      if (message.kind === 'ConnectionData') data(message.connectionId, message.payload);
      else if (message.kind === 'OpenConnection') fresh.add(message.connectionId);
      else if (message.kind === 'Ping') link.write(writeServiceMessage(keepAlivePing));
      else if (message.kind === 'HandshakeResponse') ready();
    };
    const link = new RawLink({ port, hub, token, server: 'scripted' }, heard);
    link.write(
      writeServiceMessage({
        kind: 'HandshakeRequest',
        version: 1,
        connectionType: serverConnectionTypes.default,
        target: '',
        migrationLevel: 0,
        allowStatefulReconnects: false,
      }),
    );
  });
}

function* recordsOf(bytes: Uint8Array): Generator<Uint8Array> {
  let from = 0;
  for (let end = bytes.indexOf(recordSeparator); end >= 0; end = bytes.indexOf(recordSeparator, from)) {
    yield bytes.subarray(from, end + 1);
    from = end + 1;
  }
}

serve({ connect, usage });
