import { type AnyContract, defineHub, type HubFilter, type HubOptions, type Observer } from '@signalbox/app-sdk';
import type { CheckedAddress } from '../../src/address.ts';
import type { HubConnection } from '../../src/hub/connection.ts';
import { readMessages } from '../../src/hub/frames.ts';
import type { Answer, Command, Frames, Gateway, OpenClient, OutputKind, Question } from '../../src/hub/gateway.ts';
import { HubRuntime } from '../../src/hub/runtime.ts';
import { type Logger, teller } from '../../src/observe.ts';
import { handshakeRequest } from '../../src/protocol/handshake.ts';
import type { HubMessage, HubProtocol } from '../../src/protocol/hub.ts';
import { hubProtocol } from '../../src/protocol/hub-protocols.ts';
import { text } from '../protocol/bytes.ts';

/** Hubs with any methods, and the client methods that the tests use. */
export interface Wild {
  server: AnyContract['server'];
  client: {
    say(...args: unknown[]): void;
    askName(...args: unknown[]): string;
  };
}

export type Options = Partial<HubOptions<Wild, Record<string, unknown>>>;

/** A gateway that takes everything, and writes down what it took in one line. */
export class FakeGateway implements Gateway {
  readonly log: unknown[] = [];
  readonly sent: { to: CheckedAddress; frames: Frames }[] = [];
  readonly asked: Question[] = [];
  readonly answers: Answer[] = [];
  fails: Error | undefined;
  readonly #asked = gate();

  async send(to: CheckedAddress, frames: Frames): Promise<void> {
    this.sent.push({ to, frames });
    this.log.push(to.address, text(frames.get('json') ?? new Uint8Array()));
    if (this.fails) throw this.fails;
  }

  async command(command: Command): Promise<boolean> {
    this.log.push(command);
    return true;
  }

  async invoke(question: Question): Promise<void> {
    this.asked.push(question);
    this.#asked.open();
    if (this.fails) throw this.fails;
  }

  /** The first question that was asked, once it was. */
  async question(): Promise<Question> {
    await this.#asked.passed;
    return this.asked[0] as Question;
  }

  answer(answer: Answer): void {
    this.answers.push(answer);
  }
}

/** What a client of the host sees and does. */
export class Client {
  readonly connection: HubConnection;
  readonly kinds: OutputKind[] = [];
  readonly gateway: FakeGateway;
  readonly protocol: HubProtocol;
  /** Set when the hub ended the client: what it told its host. */
  closed: { error: string | undefined } | undefined;
  /** When set, what is written waits for it. */
  full: Promise<void> | undefined;
  #bytes: Uint8Array[] = [];
  #arrived: () => void = () => undefined;

  constructor(runtime: HubRuntime, protocol: string, gateway: FakeGateway, facts: Partial<OpenClient>) {
    this.gateway = gateway;
    this.protocol = hubProtocol(protocol) as HubProtocol;
    const write = async (bytes: Uint8Array, kind: OutputKind): Promise<void> => {
      this.kinds.push(kind);
      this.#bytes.push(bytes);
      gateway.log.push(text(bytes));
      this.#arrived();
      await this.full;
    };
    const close = (error?: string): void => {
      this.closed = { error };
    };
    const wire = { write, close };
    this.connection = runtime.open({ connectionId: 'c1', claims: [], ...facts, gateway, wire });
  }

  /** Sends messages, all in one piece. */
  send(...messages: HubMessage[]): void {
    const bytes = messages.map((message) => this.protocol.write(message));
    this.connection.receive(new Uint8Array(Buffer.concat(bytes)));
  }

  /** The next bytes that were written to this client. */
  async bytes(): Promise<Uint8Array> {
    while (this.#bytes.length === 0) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
    return this.#bytes.shift() as Uint8Array;
  }

  async text(): Promise<string> {
    return text(await this.bytes());
  }

  async message(): Promise<HubMessage | undefined> {
    return [...readMessages(this.protocol, await this.bytes())][0];
  }

  /** All that was written and not looked at yet. */
  rest(): string[] {
    return this.#bytes.splice(0).map(text);
  }
}

/** A hub in a host of a few lines. */
export class Host {
  readonly runtime: HubRuntime;
  readonly gateway = new FakeGateway();
  readonly logged: [level: string, facts: object, text: string][] = [];

  constructor(options: Options = {}, { filters, observe }: { filters?: HubFilter[]; observe?: Observer } = {}) {
    const definition = defineHub<Wild>({ name: 'chat', methods: {}, ...options });
    const logger = Object.fromEntries(
      ['debug', 'info', 'warn', 'error'].map((level) => [
        level,
        (facts: object, said: string) => this.logged.push([level, facts, said]),
      ]),
    ) as unknown as Logger;
    const tell = teller(observe, logger);
    this.runtime = new HubRuntime(definition, { name: 'chat', logger, tell, ...(filters && { filters }) });
  }

  /** A client that has not said anything yet. */
  open(protocol = 'json', facts: Partial<OpenClient> = {}): Client {
    return new Client(this.runtime, protocol, (facts.gateway as FakeGateway) ?? this.gateway, facts);
  }

  /** A client after its handshake and `onConnected`. */
  async connect(protocol = 'json', facts: Partial<OpenClient> = {}): Promise<Client> {
    const client = this.open(protocol, facts);
    client.connection.receive(handshakeRequest(protocol, 1));
    await client.bytes();
    await this.runtime.idle();
    return client;
  }
}

/** A call, as a client sends it. */
export function call(target: string, args: readonly unknown[] = [], invocationId?: string): HubMessage {
  return { kind: 'invocation', target, arguments: args, invocationId };
}

/** A promise and what settles it. */
export function gate(): { readonly passed: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}
