import { describe, expect, test } from 'vitest';
import { jsonHubProtocol } from '../../src/protocol/hub-json.ts';
import type { ServiceMessageOf } from '../../src/protocol/service.ts';
import { chatHub, linkSetup } from '../support/link-setup.ts';

const setup = linkSetup();

const completion = (invocationId: string, result: unknown): Uint8Array =>
  jsonHubProtocol.write({ kind: 'completion', invocationId, result });

describe('a question to a client', () => {
  test('carries its id in the message and in the payloads, and resolves with the answer of another server', async () => {
    const { hub, link } = await setup.started();
    const asking = hub.clients.client('c1').invoke('askName', 'who?');
    const { invocationId, connectionId, callerServerId, payloads } = await link.next('ClientInvocation');
    expect({ connectionId, callerServerId }).toEqual({ connectionId: 'c1', callerServerId: link.claims.nameid });
    const json = payloads.get('json') ?? new Uint8Array();
    expect(jsonHubProtocol.parse(json.subarray(0, -1))).toMatchObject({
      invocationId,
      target: 'askName',
      arguments: ['who?'],
    });
    const answer = {
      invocationId,
      connectionId,
      callerServerId,
      protocol: 'json',
      payload: completion(invocationId, 'Bob'),
    };
    link.say({ kind: 'ClientCompletion', ...answer });
    expect(await asking).toBe('Bob');
  });

  test('rejects with ERR_CLIENT_GONE when the service has no such client', async () => {
    const { hub, link } = await setup.started();
    const asking = expect(hub.clients.client('c1').invoke('askName')).rejects.toMatchObject({
      code: 'ERR_CLIENT_GONE',
      connectionId: 'c1',
      message: "Connection 'c1' does not exist.",
    });
    const { invocationId, connectionId, callerServerId } = await link.next('ClientInvocation');
    const error = "Connection 'c1' does not exist.";
    link.say({ kind: 'ErrorCompletion', invocationId, connectionId, callerServerId, error });
    await asking;
  });

  test('rejects when the node dies that has the client', async () => {
    const { hub, link } = await setup.started();
    const asking = expect(hub.clients.client('c1').invoke('askName')).rejects.toMatchObject({
      code: 'ERR_CLIENT_GONE',
    });
    const { invocationId, connectionId } = await link.next('ClientInvocation');
    link.say({ kind: 'ServiceMapping', invocationId, connectionId, instanceId: 'n1' });
    link.say({ kind: 'Ping', pairs: [['offline', 'n2']] }, { kind: 'Ping', pairs: [['offline', 'n1']] });
    await asking;
  });

  test('that is of this server too is answered here, and the service is told to forget it', async () => {
    const { hub, links } = await setup.started(chatHub(), { links: 2 });
    for (const [index, link] of links.entries()) await link.connect(`c${index}`);
    await hub.clients.all.send('which');
    const carrier = await Promise.race(links.map((link) => link.next('BroadcastData').then(() => link)));
    const asking = Promise.all(links.map((_, index) => hub.clients.client(`c${index}`).invoke('askName')));
    for (const [index, link] of links.entries()) {
      const { invocationId, connectionId } = await carrier.next('ClientInvocation');
      expect(connectionId).toBe(`c${index}`);
      link.from(connectionId, { kind: 'completion', invocationId, result: connectionId });
      const told = await link.next('ClientCompletion');
      expect(told).toMatchObject({ invocationId, connectionId, callerServerId: link.claims.nameid, protocol: 'json' });
      expect(told.extensions).toEqual({ protocol: 'json' });
      expect(told.payload).toHaveLength(0);
    }
    expect(await asking).toEqual(['c0', 'c1']);
  });
});

describe('a question of another server', () => {
  test('is answered with the client’s own bytes and the id of this server', async () => {
    const { link } = await setup.started();
    await link.connect('c1');
    const asked = { invocationId: 'c1-abc-1', connectionId: 'c1', callerServerId: 'other', payloads: new Map() };
    link.say({ kind: 'ClientInvocation', ...asked });
    link.from('c1', { kind: 'completion', invocationId: 'c1-abc-1', result: 42 });
    const answer: ServiceMessageOf<'ClientCompletion'> = await link.next('ClientCompletion');
    expect(answer).toMatchObject({
      invocationId: 'c1-abc-1',
      connectionId: 'c1',
      callerServerId: link.claims.nameid,
      protocol: 'json',
    });
    expect(answer.payload).toEqual(completion('c1-abc-1', 42));
  });
});
