import type { SignalboxClient } from '@signalbox/app-sdk';
import type { OfficialClient, ProtocolName } from '../support/official-client.ts';
import type { Service } from '../support/service.ts';

/** A client in its seat: which user, which node, which hub protocol. */
export interface Seat {
  readonly name: string;
  readonly user: string | undefined;
  readonly client: OfficialClient;
}

const users = [undefined, 'ann', 'bob'];
const protocols: readonly ProtocolName[] = ['json', 'messagepack'];

/**
 * Official clients of one hub: anonymous ones, and two users with a connection of each hub protocol on every node. Tells who
 * heard a send, and that nobody else did.
 */
export class Audience {
  readonly seats: readonly Seat[];
  readonly #app: SignalboxClient;
  #fences = 0;

  private constructor(app: SignalboxClient, seats: readonly Seat[]) {
    this.#app = app;
    this.seats = seats;
  }

  static async gather(service: Service, hub: string): Promise<Audience> {
    const plans = users.flatMap((user) =>
      protocols.flatMap((protocol) => service.nodes.map((_, at) => ({ user, protocol, at }))),
    );
    const seats = plans.map(async ({ user, protocol, at }) => ({
      name: `${user ?? 'anonymous'} ${protocol} ${at}`,
      user,
      client: await service.client(hub, { ...(user && { userId: user }), protocol, at }),
    }));
    return new Audience(service.app(hub), await Promise.all(seats));
  }

  /** The seat of this name: `ann json 0` is Ann with JSON on node 0. */
  seat(name: string): Seat {
    const found = this.seats.find((seat) => seat.name === name);
    if (found === undefined) throw new RangeError(`no seat is called ${name}`);
    return found;
  }

  id(name: string): string {
    return this.seat(name).client.id;
  }

  /** Names of the seats for which the condition holds. */
  names(holds: (seat: Seat) => boolean = () => true): string[] {
    return this.seats.filter(holds).map((seat) => seat.name);
  }

  /**
   * Everybody who heard `what`, once for each time. A broadcast behind it is the fence: REST keeps the order of sends, so who
   * has heard the fence without it will never hear it.
   */
  async heard(what: string): Promise<string[]> {
    const fence = `fence ${++this.#fences}`;
    await this.#app.send({ all: true }, 'fence', fence);
    const open = this.seats.filter((seat) => seat.client.connection.state === 'Connected');
    await Promise.all(open.map((seat) => seat.client.heard(fence)));
    return this.seats.flatMap(({ name, client }) => client.inbox.items.filter((item) => item === what).map(() => name));
  }
}
