import type { StandingGroups } from '../backplane/records.ts';
import type { JoinUser, LeaveUser, Question, UserInGroup } from '../protocol/command.ts';

/** Publishes an envelope together with a change of the records, in one step. */
type Store = (envelope: Uint8Array) => Promise<number>;

const nothing = new Uint8Array();

/** The standing groups of users, as questions change and ask them. */
export class Standing {
  readonly #records: StandingGroups;

  constructor(records: StandingGroups) {
    this.#records = records;
  }

  /** The groups that a new connection of the user joins by itself. */
  read(hub: string, user: string): Promise<readonly string[]> {
    return this.#records.standing(hub, user);
  }

  /** Does the group stand for the user? */
  stands({ hub, user, group }: UserInGroup): Promise<boolean> {
    return this.#records.stands(hub, user, group);
  }

  /** Does this question read or change the records? */
  concerns(question: Question): question is JoinUser | LeaveUser | UserInGroup {
    return question.kind === 'joinUser' || question.kind === 'leaveUser' || question.kind === 'userInGroup';
  }

  /** How the change that the question asks for is stored and told; undefined when it changes nothing that is kept. */
  storing(question: Question, topic: string): Store | undefined {
    if (question.kind !== 'joinUser' && question.kind !== 'leaveUser') return undefined;
    return (envelope) => this.#store(question, topic, envelope);
  }

  /** Only stores: there is no other node to tell. */
  async change(question: Question): Promise<void> {
    if (question.kind === 'joinUser' || question.kind === 'leaveUser') await this.#store(question, '', nothing);
  }

  /** A time to live of 0 keeps nothing, and ends what was kept (REST reference, section 6). */
  async #store(question: JoinUser | LeaveUser, topic: string, envelope: Uint8Array): Promise<number> {
    const { hub, user, group } = question;
    if (question.kind === 'leaveUser' || question.ttlSeconds === 0) {
      return (await this.#records.leaveStanding(hub, user, group, topic, envelope)).receivers;
    }
    return this.#records.joinStanding(hub, user, question.group, question.ttlSeconds, topic, envelope);
  }
}
