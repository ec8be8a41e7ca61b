/** The hub's contract. The page listens for what stands under `client`; `send` takes nothing else. */
export interface Notify {
  server: object;
  client: { notified(from: string, text: string): void };
}
