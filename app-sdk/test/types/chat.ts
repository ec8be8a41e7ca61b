import type { Stream } from '@signalbox/app-sdk';

/** A contract with every kind of method. */
export interface Chat {
  server: {
    sendMessage(user: string, text: string): void;
    join(room: string): Promise<number>;
    history(room: string, last?: number): { text: string }[];
    counter(from: number): Stream<number>;
    upload(name: string, lines: Stream<string>): number;
    find(id: string): { id: string } | null;
    flag(): boolean | undefined;
    both(x: Stream<number>): Stream<string>;
  };
  client: {
    receiveMessage(user: string, text: string): void;
    joined(room: string, user?: string): void;
    cleared(): void;
    askName(question: string): string;
    pick(): Promise<'a' | 'b'>;
    'room:left'(room: string): void;
  };
}
