import { readers } from './config-readers.ts';
import { type Setting, setting } from './config-setting.ts';

const { bytes, count, ms, text, optional, ranges } = readers;

const KiB = 1024;
const MiB = 1024 * KiB;
const minute = 60_000;
const hour = 60 * minute;

/** Settings about who may come in beyond the access keys, and by what way. */
export const admission = {
  knownTokens: setting(
    'SIGNALBOX_KNOWN_TOKENS',
    count(0, 1_000_000),
    4096,
    'Genuine tokens of REST callers that are remembered, so that showing one again costs less; 0: none.',
  ),
  issuers: setting(
    'SIGNALBOX_ISSUERS',
    optional(text(1, 65_536)),
    undefined,
    'Outside issuers whose tokens open /client/: a JSON array of objects with issuer, audiences and, if wanted, jwksUrl, algorithms, claims, userClaim, userPrefix, hubs, clockToleranceSeconds, closeOnExpiry, allowHttp (operations.md, "Tokens of outside issuers").',
  ),
  issuersFile: setting(
    'SIGNALBOX_ISSUERS_FILE',
    optional(text(1, 4096)),
    undefined,
    'File with what SIGNALBOX_ISSUERS takes.',
  ),
  issuerFetchMs: setting(
    'SIGNALBOX_ISSUER_FETCH_MS',
    ms(50, 10 * minute),
    5000,
    'Time to fetch the keys of an outside issuer, its discovery document included.',
  ),
  issuerBytes: setting(
    'SIGNALBOX_ISSUER_BYTES',
    bytes(KiB, 16 * MiB),
    256 * KiB,
    'Largest discovery document, and largest key set, of an outside issuer.',
  ),
  issuerKeysMs: setting(
    'SIGNALBOX_ISSUER_KEYS_MS',
    ms(1000, 24 * hour),
    10 * minute,
    'The keys of an outside issuer are fetched again when they are so old and a token comes.',
  ),
  issuerCooldownMs: setting(
    'SIGNALBOX_ISSUER_COOLDOWN_MS',
    ms(10, hour),
    30_000,
    'A token that no known key of its issuer signed makes the node fetch the keys again, but not more often than this.',
  ),
  issuerStaleMs: setting(
    'SIGNALBOX_ISSUER_STALE_MS',
    ms(1000, 30 * 24 * hour),
    24 * hour,
    'Keys that cannot be fetched again are trusted until they are so old.',
  ),

  tlsCert: setting(
    'SIGNALBOX_TLS_CERT',
    optional(text(1, 4096)),
    undefined,
    'PEM file with the certificate, and those between it and its authority, of PORT and SIGNALBOX_APP_PORT. Unset: no TLS.',
  ),
  tlsKey: setting(
    'SIGNALBOX_TLS_KEY',
    optional(text(1, 4096)),
    undefined,
    'PEM file with the private key of SIGNALBOX_TLS_CERT.',
  ),
  tlsPassphrase: setting(
    'SIGNALBOX_TLS_PASSPHRASE',
    optional(text(1, 1024)),
    undefined,
    'Passphrase of SIGNALBOX_TLS_KEY, when it is encrypted.',
    true,
  ),
  tlsCheckMs: setting(
    'SIGNALBOX_TLS_CHECK_MS',
    ms(100, hour),
    10_000,
    'How often the files of the certificate are looked at. New ones are used for new sockets; the others stay.',
  ),

  trustedProxies: setting(
    'SIGNALBOX_TRUSTED_PROXIES',
    ranges,
    [],
    'Proxies whose X-Forwarded-For, -Proto and -Host are believed, by address or range. Unset: nobody is.',
  ),
} as const satisfies Record<string, Setting<unknown>>;
