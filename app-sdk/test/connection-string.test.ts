import { SignalboxError } from '@signalbox/app-sdk';
import { describe, expect, test } from 'vitest';
import {
  audienceBase,
  clientBase,
  parseConnectionString,
  requireConnectionString,
  serverBase,
} from '../src/connection-string.ts';

const key = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH';

function errorOf(run: () => unknown): SignalboxError {
  try {
    run();
  } catch (error) {
    if (error instanceof SignalboxError) return error;
  }
  throw new Error('no SignalboxError was thrown');
}

describe('a connection string', () => {
  test('gives the endpoint and the key', () => {
    const parsed = parseConnectionString(`Endpoint=http://localhost:8888;AccessKey=${key};Version=1.0;`);
    expect(parsed).toEqual({ endpoint: new URL('http://localhost:8888/'), accessKey: key });
  });

  test('ignores the case of keys, white space around keys and values, and segments without "="', () => {
    const parsed = parseConnectionString(` ENDPOINT = https://h.example ; junk;; accesskey = ${key} `);
    expect([parsed.endpoint.href, parsed.accessKey]).toEqual(['https://h.example/', key]);
  });

  test('keeps the "=" of a value', () => {
    expect(parseConnectionString('Endpoint=http://h;AccessKey=a=b==').accessKey).toBe('a=b==');
  });

  test.each([
    ['Endpoint=http://h:81///;AccessKey=k', 'http://h:81/', 'http://h:81/'],
    ['Endpoint=http://h:81;Port=82;AccessKey=k', 'http://h:82/', 'http://h:82/'],
    ['Endpoint=http://h;ClientEndpoint=https://c.example;AccessKey=k', 'https://c.example/', 'http://h/'],
    ['Endpoint=http://h;ServerEndpoint=https://s.example/asrs/;AccessKey=k', 'http://h/', 'https://s.example/asrs/'],
  ])('%s sends clients to %s and requests to %s', (text, client, server) => {
    const parsed = parseConnectionString(text);
    expect([clientBase(parsed), serverBase(parsed)]).toEqual([client, server]);
  });

  test('has an audience without port, and without the other endpoints', () => {
    const text = 'Endpoint=https://h:8443;ServerEndpoint=http://s/;ClientEndpoint=http://c/;AccessKey=k';
    expect(audienceBase(parseConnectionString(text))).toBe('https://h/');
  });

  test.each([
    ['', '"Endpoint" is missing'],
    ['AccessKey=k;Version=1.0', '"Endpoint" is missing'],
    ['Endpoint=http://h', '"AccessKey" is missing'],
    ['Endpoint=http://h;AccessKey=', '"AccessKey" is missing'],
    ['Endpoint=h;AccessKey=k', '"Endpoint" must be an absolute http:// or https:// URL'],
    ['Endpoint=ftp://h;AccessKey=k', '"Endpoint" must be an absolute http:// or https:// URL'],
    ['Endpoint=http://u:p@h;AccessKey=k', '"Endpoint" must have no user, query or fragment'],
    ['Endpoint=http://h/a;AccessKey=k', '"Endpoint" must have no path, got "/a"'],
    ['Endpoint=http://h;ServerEndpoint=http://s/a;AccessKey=k', '"ServerEndpoint" must end in "/"'],
    ['Endpoint=http://h;ClientEndpoint=x;AccessKey=k', '"ClientEndpoint" must be an absolute'],
    ['Endpoint=http://h;endpoint=http://h;AccessKey=k', '"endpoint" must be given once'],
    ['Endpoint=http://h;AccessKey=k;Port=0', '"Port" must be a whole number from 1 to 65535, got "0"'],
    ['Endpoint=http://h;AccessKey=k;Port=65536', 'got "65536"'],
    ['Endpoint=http://h;AccessKey=k;Port=1e3', 'got "1e3"'],
    ['Endpoint=http://h;AccessKey=k;Version=2.0', '"Version" must be 1.x, such as 1.0, got "2.0"'],
    ['Endpoint=http://h;AuthType=azure', '"AuthType=azure" asks for Entra ID'],
    ['Endpoint=http://h;AccessKey=k;AuthType=AZURE.MSI', 'asks for Entra ID'],
  ])('%j is refused: %s', (text, sentence) => {
    const error = errorOf(() => parseConnectionString(text));
    expect(error.code).toBe('ERR_CONNECTION_STRING');
    expect(error.message).toContain(sentence);
  });

  test('may have an AuthType that nobody knows', () => {
    expect(parseConnectionString('Endpoint=http://h;AccessKey=k;AuthType=other').accessKey).toBe('k');
  });

  test.each(['1.0', '1.1-preview', '1.22.x'])('may have Version %s', (version) => {
    expect(parseConnectionString(`Endpoint=http://h;AccessKey=k;Version=${version}`).accessKey).toBe('k');
  });

  test('that is wrong is refused without showing the access key', () => {
    const error = errorOf(() => parseConnectionString(`Endpoint=x;AccessKey=${key}`));
    expect(error.message).not.toContain(key);
  });

  test.each([undefined, '', '  '])('that was not given (%j) names the variable', (text) => {
    const error = errorOf(() => requireConnectionString(text));
    expect(error.code).toBe('ERR_CONNECTION_STRING');
    expect(error.message).toContain('SIGNALBOX_CONNECTION_STRING');
  });
});
