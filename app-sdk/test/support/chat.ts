/** The contract that tests of sends use. */
export interface Chat {
  server: object;
  client: {
    say(user: string, text: string): void;
    cleared(): void;
    blob(value: unknown): void;
    ask(question: string): string;
  };
}
