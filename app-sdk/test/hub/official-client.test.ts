import { type IHubProtocol, JsonHubProtocol, MessageType, NullLogger } from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';
import { describe, expect, test } from 'vitest';
import { text } from '../protocol/bytes.ts';
import { type Client, Host } from './host.ts';

const codecs: [string, IHubProtocol][] = [
  ['json', new JsonHubProtocol()],
  ['messagepack', new MessagePackHubProtocol()],
];

type Official = Parameters<IHubProtocol['writeMessage']>[0];

describe.each(codecs)("the official client's codec of %s", (name, codec) => {
  const send = (client: Client, message: object): void => {
    const written = codec.writeMessage(message as Official);
    client.connection.receive(typeof written === 'string' ? Buffer.from(written) : new Uint8Array(written));
  };
  const read = async (client: Client): Promise<object[]> => {
    const bytes = await client.bytes();
    const input = name === 'json' ? text(bytes) : (new Uint8Array(bytes).buffer as ArrayBuffer);
    return codec.parseMessages(input, NullLogger.instance);
  };

  const host = (): Host =>
    new Host({
      methods: {
        add: (_hub, a: number, b: number) => a + b,
        async *letters() {
          yield 'a';
        },
        rename: (hub) => hub.clients.caller.invoke('askName', 'Who?'),
      },
    });

  test('understands a result, and an error', async () => {
    const client = await host().connect(name);
    send(client, { type: MessageType.Invocation, target: 'add', arguments: [40, 2], invocationId: '0', streamIds: [] });
    expect(await read(client)).toMatchObject([{ type: MessageType.Completion, invocationId: '0', result: 42 }]);
    send(client, { type: MessageType.Invocation, target: 'nope', arguments: [], invocationId: '1', streamIds: [] });
    expect(await read(client)).toMatchObject([
      { error: "Failed to invoke 'nope' due to an error on the server. HubException: Method does not exist." },
    ]);
  });

  test('understands a stream', async () => {
    const client = await host().connect(name);
    send(client, {
      type: MessageType.StreamInvocation,
      target: 'letters',
      arguments: [],
      invocationId: '0',
      streamIds: [],
    });
    expect(await read(client)).toMatchObject([{ type: MessageType.StreamItem, invocationId: '0', item: 'a' }]);
    const [end] = await read(client);
    expect(end).toMatchObject({ type: MessageType.Completion, invocationId: '0' });
    expect([(end as { result?: unknown }).result, (end as { error?: unknown }).error]).toEqual([undefined, undefined]);
  });

  test('is asked, and its answer is understood', async () => {
    const client = await host().connect(name);
    send(client, { type: MessageType.Invocation, target: 'rename', arguments: [], invocationId: '0', streamIds: [] });
    const [question] = (await read(client)) as { invocationId: string; target: string; arguments: unknown[] }[];
    expect([question?.target, question?.arguments]).toEqual(['askName', ['Who?']]);
    send(client, { type: MessageType.Completion, invocationId: question?.invocationId, result: false });
    expect(await read(client)).toMatchObject([{ invocationId: '0', result: false }]);
  });

  test('understands the last message', async () => {
    const client = await host().connect(name);
    await client.connection.close('drain', { allowReconnect: true });
    expect(await read(client)).toMatchObject([{ type: MessageType.Close, allowReconnect: true }]);
  });
});
