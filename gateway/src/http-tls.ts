import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { type Config, ConfigError } from './config.ts';
import { readSettingFile } from './config-file.ts';
import type { Events } from './observe/events.ts';
import type { Log } from './observe/log.ts';

/** A certificate and its key, as PEM files. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Of an encrypted key. */
  readonly passphrase: string | undefined;
}

/** What the files hold, or why they cannot be read. */
type Contents = { readonly cert: string; readonly key: string } | { readonly fault: string };

/**
 * The files of the settings; undefined: no TLS.
 * @throws {ConfigError} when one of the two is missing, cannot be read, or they do not fit together.
 */
export function readTls({ tlsCert, tlsKey, tlsPassphrase }: TlsConfig): TlsFiles | undefined {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new ConfigError('SIGNALBOX_TLS_CERT and SIGNALBOX_TLS_KEY must both be set, or none of them');
  }
  const files = { certFile: tlsCert, keyFile: tlsKey, passphrase: tlsPassphrase };
  const cert = readSettingFile('SIGNALBOX_TLS_CERT', tlsCert);
  const key = readSettingFile('SIGNALBOX_TLS_KEY', tlsKey);
  try {
    judge(cert, key, files.passphrase);
  } catch (error) {
    const why = (error as Error).message;
    throw new ConfigError(`SIGNALBOX_TLS_CERT and SIGNALBOX_TLS_KEY must be a certificate and its key in PEM: ${why}`);
  }
  return files;
}

type TlsConfig = Pick<Config, 'tlsCert' | 'tlsKey' | 'tlsPassphrase'>;

/**
 * When a certificate expires, in seconds since 1970.
 * @throws {Error} when the two are no certificate and its key.
 */
function judge(cert: string, key: string, passphrase: string | undefined): number {
  createSecureContext({ cert, key, ...(passphrase !== undefined && { passphrase }) });
  return Math.floor(Date.parse(new X509Certificate(cert).validTo) / 1000);
}

export interface CertificateWatchOptions {
  readonly tls: TlsFiles;
  /** Time between two looks at the files, in ms. */
  readonly everyMs: number;
  /** Takes what the files hold now for new sockets. Rejects when it cannot be used. */
  readonly renew: () => Promise<void>;
  readonly events: Pick<Events, 'certificate'>;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/**
 * Looks at the files of a certificate, and has new contents used. By looking, not by events of the file system: those are
 * told of neither links that are turned elsewhere, as Kubernetes does it, nor of network file systems. What cannot be used,
 * such as a certificate whose key is still to be written, is told of once, and the old one stays.
 */
export class CertificateWatch {
  readonly #options: CertificateWatchOptions;
  /** Of the contents that were looked at last. */
  #seen = '';
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;

  constructor(options: CertificateWatchOptions) {
    this.#options = options;
  }

  /** What the files hold now is in use already. */
  start(): void {
    const { everyMs, events, log, now = Date.now } = this.#options;
    const contents = this.#read();
    this.#seen = digestOf(contents);
    const expires = this.#judge(contents);
    events.certificate('used', expires);
    if (expires * 1000 <= now()) log.warn('the TLS certificate has expired', { expires: textOf(expires) });
    this.#timer = setInterval(() => void this.look(), everyMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Looks now. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const contents = this.#read();
    const digest = digestOf(contents);
    if (digest === this.#seen) return;
    this.#seen = digest;
    const { events, log, renew, now = Date.now } = this.#options;
    try {
      const expires = this.#judge(contents);
      if (expires * 1000 <= now()) throw new Error(`it expired at ${textOf(expires)}`);
      await renew();
      events.certificate('used', expires);
      log.info('a new TLS certificate is in use', { expires: textOf(expires) });
    } catch (error) {
      events.certificate('refused', undefined);
      log.error('the TLS certificate cannot be used; the one before stays', { why: (error as Error).message });
    }
  }

  #read(): Contents {
    const { certFile, keyFile } = this.#options.tls;
    try {
      return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
    } catch (error) {
      return { fault: (error as Error).message };
    }
  }

  /** @throws {Error} */
  #judge(contents: Contents): number {
    if ('fault' in contents) throw new Error(contents.fault);
    return judge(contents.cert, contents.key, this.#options.tls.passphrase);
  }
}

function digestOf(contents: Contents): string {
  return createHash('sha256').update(JSON.stringify(contents)).digest('base64');
}

function textOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
