import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate authority of a test, in a folder of its own, and what it signs for `localhost` and `127.0.0.1`. */
export class Certificates {
  readonly folder = mkdtempSync(join(tmpdir(), 'signalbox-tls-'));
  readonly caFile = join(this.folder, 'ca.pem');
  readonly #caKey = join(this.folder, 'ca.key');

  constructor() {
    const subject = ['-subj', '/CN=the authority of the tests', '-addext', 'basicConstraints=critical,CA:TRUE'];
    this.#openssl(
      'req',
      '-x509',
      ...newKey,
      '-nodes',
      '-days',
      '2',
      '-keyout',
      this.#caKey,
      '-out',
      this.caFile,
      ...subject,
    );
  }

  get ca(): string {
    return readFileSync(this.caFile, 'utf8');
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /**
   * Makes `{name}.crt` and `{name}.key`, whose common name is the name.
   * @param days below 0: it has expired
   */
  make(name: string, { days = 1, passphrase }: { readonly days?: number; readonly passphrase?: string } = {}): void {
    const [cert, key, request, names] = ['crt', 'key', 'csr', 'ext'].map((end) => this.path(`${name}.${end}`));
    if (!cert || !key || !request || !names) throw new TypeError('four files');
    const secret = passphrase === undefined ? ['-nodes'] : ['-passout', `pass:${passphrase}`];
    this.#openssl('req', ...newKey, ...secret, '-keyout', key, '-out', request, '-subj', `/CN=${name}`);
    writeFileSync(names, 'subjectAltName=DNS:localhost,IP:127.0.0.1');
    const by = ['-CA', this.caFile, '-CAkey', this.#caKey, '-CAcreateserial', '-days', String(days), '-extfile', names];
    this.#openssl('x509', '-req', '-in', request, '-out', cert, ...by);
  }

  #openssl(...args: readonly string[]): void {
    const { error, status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
    if (error !== undefined) throw new Error('this test needs openssl: `apt-get install openssl`');
    if (status !== 0) throw new Error(`openssl ended with ${status}: ${stderr}`);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'] as const;
