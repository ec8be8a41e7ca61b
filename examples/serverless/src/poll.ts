import { defineHub, HubException } from '@signalbox/app-sdk';
import type { Poll, Votes } from './contract.ts';

/** A function platform keeps nothing between two calls: a real app has a database here. */
const votes: Votes = { tabs: 0, spaces: 0 };

/** Each call comes as a webhook of its own, and could run in a process of its own. */
export const poll = defineHub<Poll>({
  name: 'poll',
  methods: {
    // The answer of the webhook is the answer of the call.
    votes: () => votes,

    // The others are told by REST, before the caller has its answer.
    async vote(hub, option) {
      if (!Object.hasOwn(votes, option)) throw new HubException(`There is no option ${JSON.stringify(option)}`);
      const count = (votes[option] ?? 0) + 1;
      votes[option] = count;
      await hub.clients.others.voted(option, count);
      return count;
    },
  },
});
