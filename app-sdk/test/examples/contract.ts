import type { Stream } from '@signalbox/app-sdk';

export interface Chat {
  server: {
    sendMessage(user: string, text: string): void;
    join(room: string): number;
    counter(from: number): Stream<number>;
    rename(): string;
  };
  client: {
    receiveMessage(user: string, text: string): void;
    joined(room: string, user?: string): void;
    askName(question: string): string;
  };
}
