import { copyFileSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/config.ts';
import { createHttpServer, type HttpServer } from '../../src/http.ts';
import { CertificateWatch, readTls } from '../../src/http-tls.ts';
import { Certificates } from '../support/certificates.ts';
import { within } from '../support/until.ts';

let certificates: Certificates;
let server: HttpServer;
let port: number;
let watch: CertificateWatch;
let told: string[];

beforeAll(() => {
  certificates = new Certificates();
  for (const name of ['first', 'second']) certificates.make(name);
  certificates.make('locked', { passphrase: 'open sesame' });
});
afterAll(() => certificates[Symbol.dispose]());

const files = (name: string, passphrase?: string) => ({
  certFile: certificates.path(`${name}.crt`),
  keyFile: certificates.path(`${name}.key`),
  passphrase,
});

/** Writes a certificate over the one in use. */
function replace(name: string, parts: readonly ('crt' | 'key')[] = ['crt', 'key']): void {
  for (const part of parts) copyFileSync(certificates.path(`${name}.${part}`), certificates.path(`used.${part}`));
}

beforeEach(async () => {
  told = [];
  replace('first');
  const tls = files('used');
  server = await createHttpServer({ tls, bodyBytes: 1000, defect: (error) => told.push(String(error)) });
  server.mount((request) => ({ status: 200, body: request.path }));
  port = await server.listen('127.0.0.1', 0, true);
  watch = new CertificateWatch({
    tls,
    everyMs: 3_600_000,
    renew: () => server.renewCertificate(),
    events: { certificate: (outcome) => void told.push(outcome) },
    log: {
      info: (text) => void told.push(text),
      warn: (text) => void told.push(text),
      error: (text, facts) => void told.push(`${text}: ${facts?.['why']}`),
    },
  });
  watch.start();
});
afterEach(() => {
  watch.stop();
  server.close();
});

/** Opens a socket that trusts the authority; its certificate's common name, and the socket. */
async function open(): Promise<{ name: string; socket: TLSSocket }> {
  const socket = connect({ host: '127.0.0.1', port, ca: certificates.ca, servername: '' });
  await within(
    'the handshake',
    new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject)),
  );
  return { name: String(socket.getPeerCertificate().subject.CN), socket };
}

async function nameNow(): Promise<string> {
  const { name, socket } = await open();
  socket.destroy();
  return name;
}

async function answered(socket: TLSSocket, path: string): Promise<string> {
  const answer = new Promise<string>((resolve) => socket.once('data', (data: Buffer) => resolve(data.toString())));
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  return within('the answer', answer);
}

test('a request over TLS is answered, one without is cut off', async () => {
  const { name, socket } = await open();
  expect(name).toBe('first');
  expect(await answered(socket, '/hello')).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\/hello$/s);
  const plain = connectPlain(port, '127.0.0.1');
  const heard: Buffer[] = [];
  plain.on('data', (data) => heard.push(data)).on('error', () => undefined);
  plain.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await within('the socket is cut', new Promise((resolve) => plain.once('close', resolve)));
  expect(Buffer.concat(heard).toString()).not.toContain('HTTP/1.1');
  socket.destroy();
});

describe('a certificate that was replaced', () => {
  test('is what new sockets see; old ones stay as they are and go on', async () => {
    const old = await open();
    replace('second');
    await watch.look();
    expect(await nameNow()).toBe('second');
    expect(await answered(old.socket, '/after')).toContain('/after');
    expect(told).toEqual(['used', 'used', 'a new TLS certificate is in use']);
    old.socket.destroy();
  });

  test('can be replaced again and again', async () => {
    for (const name of ['second', 'first', 'second', 'first']) {
      replace(name);
      await watch.look();
      expect(await nameNow()).toBe(name);
    }
  });

  test('by turning a link elsewhere counts too', async () => {
    for (const part of ['crt', 'key']) {
      unlinkSync(certificates.path(`used.${part}`));
      symlinkSync(certificates.path(`second.${part}`), certificates.path(`used.${part}`));
    }
    await watch.look();
    expect(await nameNow()).toBe('second');
    for (const part of ['crt', 'key']) unlinkSync(certificates.path(`used.${part}`));
  });

  test('by the same is nothing new', async () => {
    replace('first');
    await watch.look();
    expect(told).toEqual(['used']);
  });
});

describe('what cannot be used leaves the old one, is told once, and does no harm afterwards', () => {
  const refused = /^the TLS certificate cannot be used; the one before stays: /;

  async function expectRefusal(): Promise<void> {
    told = [];
    await watch.look();
    await watch.look();
    expect(told).toEqual(['refused', expect.stringMatching(refused)]);
    expect(await nameNow()).toBe('first');
    replace('second');
    await watch.look();
    expect(await nameNow()).toBe('second');
  }

  test('a certificate whose key is still to be written', async () => {
    replace('second', ['crt']);
    await expectRefusal();
  });

  test('half a file', async () => {
    const whole = readFileSync(certificates.path('second.crt'), 'utf8');
    writeFileSync(certificates.path('used.crt'), whole.slice(0, whole.length / 2));
    await expectRefusal();
  });

  test('no file', async () => {
    unlinkSync(certificates.path('used.key'));
    await expectRefusal();
  });

  test('a certificate that has expired', async () => {
    certificates.make('over', { days: -1 });
    replace('over');
    await expectRefusal();
  });

  test('an encrypted key without its passphrase', async () => {
    replace('locked');
    await expectRefusal();
  });
});

test('who has stopped to listen does not begin again with a new certificate', async () => {
  server.stopListening();
  replace('second');
  await watch.look();
  await expect(open()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('the port of a server with TLS is its own, though it can share it with itself', async () => {
  const other = await createHttpServer({ tls: files('first'), bodyBytes: 1, defect: () => undefined });
  await expect(other.listen('127.0.0.1', port, true)).rejects.toThrow(`port ${port}: taken`);
});

test('an encrypted key is opened with its passphrase', async () => {
  const tls = files('locked', 'open sesame');
  const locked = await createHttpServer({ tls, bodyBytes: 1, defect: () => undefined });
  port = await locked.listen('127.0.0.1', 0, true);
  expect(await nameNow()).toBe('locked');
  locked.close();
});

describe('wrong settings', () => {
  const read = (cert?: string, key?: string, passphrase?: string) =>
    readTls({
      tlsCert: cert && certificates.path(cert),
      tlsKey: key && certificates.path(key),
      tlsPassphrase: passphrase,
    });

  test('none are no TLS', () => {
    expect(read()).toBeUndefined();
  });

  test.each([
    ['first.crt', undefined, undefined, /^SIGNALBOX_TLS_CERT and SIGNALBOX_TLS_KEY must both be set/],
    [undefined, 'first.key', undefined, /^SIGNALBOX_TLS_CERT and SIGNALBOX_TLS_KEY must both be set/],
    ['none.crt', 'first.key', undefined, /^SIGNALBOX_TLS_CERT must name a file .*none\.crt \(ENOENT\)$/],
    ['first.crt', 'none.key', undefined, /^SIGNALBOX_TLS_KEY must name a file .*none\.key \(ENOENT\)$/],
    ['first.crt', 'second.key', undefined, /must be a certificate and its key in PEM: .*mismatch/],
    ['first.key', 'first.key', undefined, /must be a certificate and its key in PEM: /],
    ['locked.crt', 'locked.key', 'wrong', /must be a certificate and its key in PEM: /],
  ])('%s with %s (%s) are one line that says why', (cert, key, passphrase, sentence) => {
    expect(() => read(cert, key, passphrase)).toThrow(ConfigError);
    expect(() => read(cert, key, passphrase)).toThrow(sentence);
  });
});
