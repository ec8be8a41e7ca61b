import { describe, expect, it } from 'vitest';
import type { App } from '../../src/core/app.ts';
import { frameOf, Surroundings, turn } from '../support/connections.ts';

const no = Buffer.from('no');

function noting(left: string[]): App {
  return {
    mode: 'default',
    pings: false,
    refusal: () => undefined,
    opened: () => undefined,
    received: () => undefined,
    left: (_connection, reason) => left.push(reason),
  };
}

describe('a connection', () => {
  it('is skipped by broadcasts until its handshake is answered; direct sends wait and come behind the answer', async () => {
    const around = new Surroundings();
    const { connection, transport } = around.joining();
    connection.send(frameOf('broadcast '));
    expect(connection.sendDirect(frameOf('direct '))).toBe(true);
    await turn();
    expect(transport.text).toBe('');
    connection.accept(frameOf('accepted '));
    connection.send(frameOf('broadcast'));
    await turn();
    expect(transport.text).toBe('accepted direct broadcast');
    expect(around.opens).toEqual([connection.id]);
  });

  it('refuses direct sends above the bound of those that wait', async () => {
    const around = new Surroundings({ welcomeBytes: 10 });
    const { connection, transport } = around.joining();
    expect(connection.sendDirect(frameOf('123456'))).toBe(true);
    expect(connection.sendDirect(frameOf('12345'))).toBe(false);
    expect(connection.sendDirect(frameOf('1234'))).toBe(true);
    expect(connection.sendDirect(frameOf('1'))).toBe(false);
    connection.accept(frameOf(''));
    await turn();
    expect(transport.text).toBe('1234561234');
  });

  it('is accepted once', async () => {
    const around = new Surroundings();
    const { connection, transport } = around.joining();
    connection.accept(frameOf('1'));
    connection.accept(frameOf('2'));
    await turn();
    expect(transport.text).toBe('1');
    expect(around.opens).toHaveLength(1);
  });

  it('writes what is owed and a Close message at once when it is closed, then ends the wire', () => {
    const around = new Surroundings();
    const { connection, transport } = around.open();
    connection.send(frameOf('owed '));
    connection.close('closed_by_app');
    expect(transport.text).toBe('owed {"type":7,"allowReconnect":true}\u001e');
    expect(transport.ended).toBe(true);
    expect(around.ends).toEqual([`${connection.id} open closed_by_app`]);
  });

  it('gets a Close message only when it was handshaken', () => {
    for (const state of ['opening', 'joining'] as const) {
      const around = new Surroundings();
      const { connection, transport } = around.joining();
      connection.state = state;
      connection.close('drain');
      expect([transport.text, transport.ended, around.ends]).toEqual(['', true, [`${connection.id} ${state} drain`]]);
    }
  });

  it('gets no Close message when it is slow: it would not read it', () => {
    const { connection, transport } = new Surroundings().open();
    connection.close('slow');
    expect([transport.text, transport.ended]).toEqual(['', true]);
  });

  it('is refused with an answer, in text whatever its hub protocol, before its handshake is done', () => {
    const around = new Surroundings();
    const { connection, transport } = around.joining();
    connection.protocol = 'messagepack';
    connection.refuse(no, 'bad_message');
    connection.accept(frameOf('yes'));
    expect([transport.text, transport.ended, around.opens]).toEqual(['no', true, []]);
    expect(transport.frames.map(({ binary }) => binary)).toEqual([false]);
    expect(around.ends).toEqual([`${connection.id} joining bad_message`]);
  });

  it('ends once: whatever is called later does nothing', async () => {
    const around = new Surroundings();
    const left: string[] = [];
    const { connection, transport } = around.open();
    connection.app = noting(left);
    connection.gone();
    connection.gone();
    connection.close('drain');
    connection.refuse(no, 'bad_message');
    connection.accept(frameOf('yes'));
    connection.send(frameOf('x'));
    expect(connection.sendDirect(frameOf('x'))).toBe(false);
    await turn();
    expect(transport.text).toBe('');
    expect(left).toEqual(['client_left']);
    expect(around.ends).toHaveLength(1);
  });

  it('ends once also when it turns out to be slow while it is being closed', () => {
    for (const end of ['close', 'refuse'] as const) {
      const around = new Surroundings({ queueBytes: 10 });
      const left: string[] = [];
      const { connection, transport } = around.open();
      connection.app = noting(left);
      transport.reading = false;
      connection.send(frameOf('x'.repeat(11)));
      if (end === 'close') connection.close('closed_by_app');
      else connection.refuse(no, 'bad_message');
      expect(left).toHaveLength(1);
      expect(around.ends).toHaveLength(1);
      expect(transport.ended).toBe(true);
    }
  });

  it('tells its app only when the app was told of it', () => {
    const left: string[] = [];
    const { connection } = new Surroundings().joining();
    connection.gone();
    connection.app = noting(left);
    connection.gone();
    expect(left).toEqual([]);
  });
});
