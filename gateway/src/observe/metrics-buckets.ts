/** Upper bounds in seconds, for what should take milliseconds: Redis, other nodes, REST. */
export const fast = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Upper bounds in seconds, for what waits for somebody outside: clients, app servers, webhooks. */
export const slow = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/** Upper bounds of the sizes of audiences. */
export const audience = [0, 1, 10, 100, 1000, 10_000, 100_000];
