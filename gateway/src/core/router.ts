import type { Question, Send } from '../protocol/command.ts';

/** Through which door a command came: REST commands take effect by their echo, those of links at once (architecture, section 2). */
export type Door = 'rest' | 'link';

/** `all`: every node was told. `local`: Redis is known down, only members on this node were reached. */
export type Reach = 'all' | 'local';

/** `limit`: refused because a setting's limit was reached. */
export type Reply = 'yes' | 'no' | 'limit';

/** What the doors see of the core. */
export interface Router {
  /**
   * Sends; resolves when Redis took it.
   * @throws {GatewayError} `too_large`, `backplane_full`, or `backplane_down` when nobody was reached.
   */
  send(command: Send, door: Door): Promise<Reach>;
  /**
   * Asks, and resolves when the change is in force or the answer is certain.
   * @throws {GatewayError} `no_answer` when it is not, `backplane_down`, `backplane_full`, `too_large`.
   */
  ask(question: Question, door: Door): Promise<Reply>;
}
