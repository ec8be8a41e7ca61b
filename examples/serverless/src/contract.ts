/** How many votes each option has. */
export type Votes = Record<string, number>;

/** The hub's contract: what a page can call, and what it is told. */
export interface Poll {
  server: { votes(): Votes; vote(option: string): number };
  client: { voted(option: string, votes: number): void };
}
