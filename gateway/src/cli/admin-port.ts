import { Failure, Misuse, type Option, type Surroundings } from './command.ts';

/** The option that names the admin port of a node. */
export const adminOption: Option = {
  kind: 'text',
  value: 'url',
  doc: 'Admin port of any node. Default: http://127.0.0.1 with SIGNALBOX_ADMIN_PORT, or 9090.',
};

/** What commands about nodes say of their surroundings. */
export const adminAbout = ['SIGNALBOX_ADMIN_TOKEN must be in the environment: it is that of the node.'];

/** The admin port of one node. */
export class AdminPort {
  readonly #origin: string;
  readonly #token: string;
  readonly #signal: AbortSignal;

  /** @throws {Misuse} when the address or the token is missing or wrong. */
  constructor(url: string | undefined, { env, signal }: Pick<Surroundings, 'env' | 'signal'>) {
    const text = url ?? `http://127.0.0.1:${env['SIGNALBOX_ADMIN_PORT'] || '9090'}`;
    if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
      throw new Misuse(`--admin must be an http:// or https:// address, got ${JSON.stringify(text)}`);
    }
    this.#origin = text.replace(/\/+$/, '');
    this.#token = env['SIGNALBOX_ADMIN_TOKEN'] ?? '';
    this.#signal = signal;
    if (this.#token === '') throw new Misuse('SIGNALBOX_ADMIN_TOKEN must be set in the environment');
  }

  /** The JSON of an answer. @throws {Failure} */
  async get(path: string): Promise<unknown> {
    return (await this.#ask(path)).json();
  }

  /** Lines of JSON until the user ends it. @throws {Failure} when the node does. */
  async *lines(path: string): AsyncGenerator<Readonly<Record<string, unknown>>> {
    const { body } = await this.#ask(path);
    const decoder = new TextDecoder();
    let rest = '';
    try {
      for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) yield JSON.parse(line) as Readonly<Record<string, unknown>>;
      }
    } catch (error) {
      if (this.#signal.aborted) return;
      throw new Failure(`the node ended it: ${reasonOf(error)}`);
    }
    if (!this.#signal.aborted) throw new Failure('the node ended it');
  }

  async #ask(path: string): Promise<Response> {
    const headers = { authorization: `Bearer ${this.#token}` };
    const response = await fetch(this.#origin + path, { headers, signal: this.#signal }).catch((error: unknown) => {
      throw new Failure(`no answer from ${this.#origin}: ${reasonOf(error)}`);
    });
    if (response.ok) return response;
    const answer = (await response.json().catch(() => ({}))) as { readonly message?: unknown };
    throw new Failure(`${this.#origin} answered ${response.status}: ${String(answer.message ?? 'no reason given')}`);
  }
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as { readonly cause?: { readonly code?: unknown }; readonly message?: unknown };
  return String(cause?.code ?? message ?? error);
}
