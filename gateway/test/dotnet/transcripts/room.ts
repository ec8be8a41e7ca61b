import { HttpTransportType, type HubConnection, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { WebSocket } from 'ws';
import { negotiatePath } from '../../support/served.ts';
import type { Entrance, Place } from './place.ts';
import { Heard, Talker } from './talker.ts';

/** What each client of a script heard, one line for each record: `name: record`. Lines of one client are in order. */
export type Transcript = string;

const fence = 'the end of the script';

interface Negotiated {
  readonly connectionId: string;
  readonly connectionToken: string;
}

/** Where one script is played: its clients, and what they heard. */
export class Room {
  readonly #place: Place;
  readonly #hub: string;
  readonly #heard = new Map<string, Heard>();
  readonly #talkers: Talker[] = [];
  readonly #officials: HubConnection[] = [];
  /** Words in place of what differs from run to run. */
  readonly #names = new Map<string, string>();

  constructor(place: Place, hub: string) {
    this.#place = place;
    this.#hub = hub;
  }

  /** A client of the hub, after its handshake. Its user id is its name unless said. */
  async client(name: string, user = name): Promise<Talker> {
    const talker = await this.stranger(name, user);
    talker.say({ protocol: 'json', version: 1 });
    await talker.heard.count(1);
    return talker;
  }

  /** A client that has said nothing yet. */
  async stranger(name: string, user = name): Promise<Talker> {
    const entrance = await this.#place.entrance(this.#hub, user);
    const { connectionId, connectionToken } = JSON.parse(await this.negotiate(name, entrance)) as Negotiated;
    const { url, token } = entrance;
    const access = token === undefined ? '' : `&access_token=${token}`;
    const talker = await Talker.open(`${url.replace('http', 'ws')}&id=${connectionToken}${access}`, connectionId);
    this.#talkers.push(talker);
    this.#heard.set(name, talker.heard);
    return talker;
  }

  /** The official JavaScript client, over a WebSocket that is listened to. Not started. */
  async official(name: string, prepare: (builder: HubConnectionBuilder) => void = () => undefined) {
    const heard = new Heard();
    this.#heard.set(name, heard);
    const listened = class extends WebSocket {
      constructor(...args: ConstructorParameters<typeof WebSocket>) {
        super(...args);
        heard.listen(this);
      }
    };
    const { url, token = '' } = await this.#place.entrance(this.#hub, name);
    const transport = HttpTransportType.WebSockets;
    const options = { transport, WebSocket: listened, accessTokenFactory: () => token };
    const builder = new HubConnectionBuilder().configureLogging(LogLevel.None).withUrl(url, options);
    prepare(builder);
    const connection = builder.build();
    this.#officials.push(connection);
    return Object.assign(connection, { heard });
  }

  /** The answer of negotiation, as text. */
  async negotiate(name: string, entrance?: Entrance, query = ''): Promise<string> {
    const where = entrance ?? (await this.#place.entrance(this.#hub, name));
    const answer = await fetch(new URL(where.url).origin + negotiatePath(where) + query, {
      method: 'POST',
      headers: { authorization: `Bearer ${where.token}` },
    });
    const text = await answer.text();
    const { connectionId, connectionToken } = JSON.parse(text) as Negotiated;
    this.#names.set(connectionToken, `<token of ${name}>`); // before the id, which may be a part of it
    this.#names.set(connectionId, `<${name}>`);
    return text;
  }

  /** Notes something that is no message of a client. */
  note(name: string, line: string): void {
    const heard = this.#heard.get(name) ?? new Heard();
    this.#heard.set(name, heard);
    heard.lines.add(line);
  }

  /** Waits until nothing more can come, and ends all clients. @returns what they heard. */
  async end(): Promise<Transcript> {
    await Promise.all(this.#talkers.map(this.#settled));
    const lines = [...this.#heard].flatMap(([name, heard]) =>
      heard.lines.items.map((line) => `${name}: ${this.#worded(line)}`),
    );
    for (const talker of this.#talkers) talker.leave();
    await Promise.all(this.#officials.map((connection) => connection.stop()));
    return lines.join('\n');
  }

  /** A client that was told of its end sees it; any other one still has its calls answered. */
  readonly #settled = async (talker: Talker): Promise<void> => {
    const ends = talker.heard.lines.items.some((line) => line.startsWith('{"type":7'));
    if (ends) await talker.heard.closed;
    else if (talker.isOpen) await talker.call('echo', fence);
  };

  readonly #worded = (line: string): string => {
    let text = line.replace(/^(\{"type":1,"invocationId":")[^"]+/, '$1<question>');
    for (const [id, name] of this.#names) text = text.replaceAll(id, name);
    return text;
  };
}
