import { describe, expect, test } from 'vitest';
import {
  clientCountPing,
  echoPing,
  keepAlivePing,
  messageLogPing,
  offlinePing,
  type Ping,
  type PingMeaning,
  readPing,
  serversPing,
  serversRequestPing,
  shutdownPing,
  statusPing,
  statusRequestPing,
  targetPing,
} from '../../src/protocol/service-ping.ts';
import { meanings } from './service-vectors.ts';

describe('pings', () => {
  const figures = { clientCount: 2, serverCount: 1, capacity: 1000 };

  test.each<[string, Ping, PingMeaning]>([
    ['V14', keepAlivePing, { topic: 'keepAlive' }],
    ['V16', statusRequestPing, { topic: 'status', active: true }],
    ['V17', statusPing(true, figures), { topic: 'status', active: true, ...figures }],
    ['V18', clientCountPing(12, 3), { topic: 'clientCount', inHub: 12, onConnection: 3 }],
    ['V19', serversRequestPing, { topic: 'servers', ids: [] }],
    [
      'V20',
      serversPing(1_700_000_000, ['srvB', 'srvA']),
      { topic: 'servers', timestamp: 1_700_000_000, ids: ['srvA', 'srvB'] },
    ],
    ['V21', targetPing('inst-1'), { topic: 'target', instanceId: 'inst-1' }],
    ['V22', offlinePing('inst-1'), { topic: 'offline', instanceId: 'inst-1' }],
    ['V23', shutdownPing('fin:0'), { topic: 'shutdown', stage: 'fin:0' }],
    ['V24', shutdownPing('fin:1'), { topic: 'shutdown', stage: 'fin:1' }],
    ['V25', shutdownPing('fin:2'), { topic: 'shutdown', stage: 'fin:2' }],
    ['V26', shutdownPing('finack'), { topic: 'shutdown', stage: 'finack' }],
    ['V27', echoPing('42'), { topic: 'echo', id: '42' }],
    ['V28', messageLogPing(true), { topic: 'messageLog', on: true }],
  ])('%s is made and understood', (id, ping, meaning) => {
    expect(ping).toEqual(meanings[id]);
    expect(readPing(ping)).toEqual(meaning);
  });

  test.each<[string, [string, string][], PingMeaning]>([
    ['an unknown key', [['a', 'b']], { topic: 'other' }],
    ['a key of every object', [['constructor', 'b']], { topic: 'other' }],
    ['a stage that does not exist', [['shutdown', 'fin:9']], { topic: 'other' }],
    ['no clients', [['status', '0']], { topic: 'status', active: false }],
    ['an empty status', [['status', '']], { topic: 'status', active: false }],
    [
      'figures that are no numbers',
      [
        ['status', '1'],
        ['capacity', 'x'],
      ],
      { topic: 'status', active: true },
    ],
    ['counts that are no numbers', [['#client', '-1']], { topic: 'clientCount', inHub: 0, onConnection: 0 }],
    [
      'an unknown key first',
      [
        ['a', 'b'],
        ['echo', '1'],
      ],
      { topic: 'echo', id: '1' },
    ],
    ['an empty list', [['servers', '5:']], { topic: 'servers', timestamp: 5, ids: [] }],
  ])('%s is understood', (_, pairs, meaning) => {
    expect(readPing({ kind: 'Ping', pairs })).toEqual(meaning);
  });
});
