import { describe, expect, test } from 'vitest';
import { MalformedError } from '../../src/protocol/errors.ts';
import {
  acceptHandshake,
  handshakeErrors,
  handshakeRequest,
  handshakeResponse,
  parseHandshakeRequest,
  parseHandshakeResponse,
} from '../../src/protocol/handshake.ts';
import { jsonHubProtocol } from '../../src/protocol/hub-json.ts';
import { messagePackHubProtocol } from '../../src/protocol/hub-messagepack.ts';
import { hex, utf8, vectors } from './bytes.ts';

const rows = vectors<{ id: string; kind: string; hex: string }>('hub-protocol.json');
const vector = (id: string) => rows.find((row) => row.id === id)?.hex ?? '';
const bytes = (id: string) => new Uint8Array(Buffer.from(vector(id), 'hex'));

describe('a handshake request', () => {
  test.each([
    ['H01', 'json', 1],
    ['H02', 'messagepack', 1],
    ['H03', 'json', 2],
    ['H04', 'messagepack', 2],
  ])('%s asks for %s, version %d', (id, protocol, version) => {
    expect(parseHandshakeRequest(bytes(id))).toEqual({ kind: 'request', protocol, version });
    expect(parseHandshakeRequest(bytes(id).subarray(0, -1))).toEqual({ kind: 'request', protocol, version });
    expect(hex(handshakeRequest(protocol, version))).toBe(vector(id));
  });

  test('may have its properties in any order and others besides', () => {
    const record = utf8('{"minorVersion":0,"version":1,"protocol":"json"}');
    expect(parseHandshakeRequest(record)).toEqual({ kind: 'request', protocol: 'json', version: 1 });
  });

  test.each([
    '',
    '{',
    'null',
    '[]',
    '1',
    '{}',
    '{"protocol":"json"}',
    '{"version":1}',
    '{"protocol":"","version":1}',
    '{"protocol":"json","version":"1"}',
    '{"protocol":"json","version":-1}',
    '{"protocol":"json","version":1.5}',
    '{"type":6}',
  ])('is refused when it is %s', (record) => {
    expect(parseHandshakeRequest(utf8(record))).toEqual({ kind: 'refusal', error: handshakeErrors.malformed });
  });

  test('is accepted up to version 2, and its protocol in any case', () => {
    const accepted = (protocol: string, version: number) => acceptHandshake({ kind: 'request', protocol, version });
    expect(accepted('json', 0)).toEqual({ kind: 'accepted', protocol: jsonHubProtocol, version: 0 });
    expect(accepted('JSON', 1)).toEqual({ kind: 'accepted', protocol: jsonHubProtocol, version: 1 });
    expect(accepted('messagepack', 2)).toEqual({ kind: 'accepted', protocol: messagePackHubProtocol, version: 2 });
  });

  test.each([
    ['xml', 1, true, "The protocol 'xml' is not supported."],
    ['JSON', 3, true, "The server does not support version 3 of the 'json' protocol."],
    [
      'messagepack',
      1,
      false,
      "Cannot use the 'messagepack' protocol on the current transport. The transport does not support 'Binary' transfer format.",
    ],
  ])('for %s version %d, binary frames %s, is refused with the official text', (protocol, version, binary, error) => {
    expect(acceptHandshake({ kind: 'request', protocol, version }, binary)).toEqual({ kind: 'refusal', error });
  });
});

describe('a handshake response', () => {
  test.each([
    ['H05', undefined],
    ['H06', handshakeErrors.canceled],
    ['H07', handshakeErrors.protocol('xml')],
    ['H08', handshakeErrors.version('json', 3)],
  ])('%s says %s', (id, error) => {
    expect(hex(handshakeResponse(error))).toBe(vector(id));
    expect(parseHandshakeResponse(bytes(id))).toEqual({ error });
  });

  test.each(['{"type":6}', '', 'null', '[]', '{"error":1}'])('is not %s', (record) => {
    expect(() => parseHandshakeResponse(utf8(record))).toThrow(
      new MalformedError('Expected a handshake response from the server.'),
    );
  });
});
