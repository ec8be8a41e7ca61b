import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

/** A key pair of an issuer. */
export interface IssuerKey {
  readonly algorithm: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

/** Makes a key pair. `algorithm` as in a token's header. */
export async function issuerKey(algorithm: string, kid: string): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  return { algorithm, kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' } };
}

/** What the server does with a request for its keys. */
export type Mood = 'answers' | 'fails' | 'hangs';

/** A small OpenID provider: a discovery document and a key set over HTTP, and tokens. */
export class OidcServer {
  /** Public keys that it gives out. */
  published: object[] = [];
  mood: Mood = 'answers';
  /** Members of the discovery document that are otherwise. */
  discovery: object = {};
  /** In place of the key set. */
  page: string | undefined;
  /** Requests for the key set. */
  fetches = 0;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const keys = request.url === '/keys';
      if (keys) this.fetches++;
      if (this.mood === 'fails') response.writeHead(500).end();
      else if (this.mood === 'answers') this.#answer(keys, response);
    });
  }

  /** Starts one that publishes these keys. */
  static async start(...keys: readonly IssuerKey[]): Promise<OidcServer> {
    const server = new OidcServer();
    server.publish(...keys);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  #answer(keys: boolean, response: ServerResponse): void {
    const { issuer } = this;
    const document = { issuer, jwks_uri: this.jwksUrl, ...this.discovery };
    const text = keys ? (this.page ?? JSON.stringify({ keys: this.published })) : JSON.stringify(document);
    response.writeHead(200, { 'content-type': 'application/json' }).end(text);
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get jwksUrl(): string {
    return `${this.issuer}/keys`;
  }

  /** From now on it gives out these keys. */
  publish(...keys: readonly IssuerKey[]): void {
    this.published = keys.map(({ jwk }) => jwk);
  }

  /** A token of this issuer for the audience `signalbox`, valid for an hour, with any claim in place of the usual ones. */
  token(key: IssuerKey, claims: object = {}, header: object = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const payload: JWTPayload = {
      iss: this.issuer,
      aud: 'signalbox',
      sub: 'ann',
      iat: now,
      nbf: now,
      exp: now + 3600,
      ...claims,
    };
    return new SignJWT(payload)
      .setProtectedHeader({ alg: key.algorithm, kid: key.kid, ...header })
      .sign(key.privateKey);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
