import type { Stream } from '@signalbox/app-sdk';

/** The hub's contract. The page calls what stands under `server`, and listens for what stands under `client`. */
export interface Chat {
  server: {
    sendMessage(user: string, text: string): void;
    joinRoom(room: string): void;
    leaveRoom(room: string): void;
    sayInRoom(room: string, text: string): void;
    typing(room: string): void;
    sendPrivate(to: string, text: string): void;
    /** From one number to the other, five a second. */
    counter(from: number, to: number): Stream<number>;
    whoAmI(): WhoAmI;
  };
  client: {
    welcome(you: WhoAmI): void;
    receiveMessage(user: string, text: string): void;
    saidInRoom(room: string, user: string, text: string): void;
    joinedRoom(room: string, user: string): void;
    leftRoom(room: string, user: string): void;
    typing(room: string, user: string): void;
    receivePrivate(from: string, to: string, text: string): void;
    arrived(user: string): void;
    left(user: string): void;
  };
}

/** A connection as its hub sees it. */
export interface WhoAmI {
  user: string;
  connectionId: string;
  /** The process id of the app server that runs the hub. */
  process: number;
}
