import type { SplitOptions, Splitter } from './framing.ts';

/** Headers of a hub message: free for the application. They may hold tokens, so they are never logged. */
export type HubHeaders = Readonly<Record<string, string>>;

/** A call: of a hub method by a client, or of a client method by a hub. */
export interface InvocationMessage {
  readonly kind: 'invocation';
  readonly headers?: HubHeaders | undefined;
  /** Absent: the caller wants no answer. */
  readonly invocationId?: string | undefined;
  readonly target: string;
  readonly arguments: readonly unknown[];
  /** Streams that the caller will feed; absent when there are none. */
  readonly streamIds?: readonly string[] | undefined;
}

/** A call whose answer is a stream. Clients send it; they understand none. */
export interface StreamInvocationMessage {
  readonly kind: 'streamInvocation';
  readonly headers?: HubHeaders | undefined;
  readonly invocationId: string;
  readonly target: string;
  readonly arguments: readonly unknown[];
  readonly streamIds?: readonly string[] | undefined;
}

/** One item of a stream, in either direction. */
export interface StreamItemMessage {
  readonly kind: 'streamItem';
  readonly headers?: HubHeaders | undefined;
  readonly invocationId: string;
  readonly item: unknown;
}

/** The end of a call or of a stream: an error, or a result, or neither. */
export interface CompletionMessage {
  readonly kind: 'completion';
  readonly headers?: HubHeaders | undefined;
  readonly invocationId: string;
  /** Never empty: clients read an empty error as success. With an error the result does not count. */
  readonly error?: string | undefined;
  /** `undefined` is no result; `null` is one, and what a void method answers. */
  readonly result?: unknown;
}

/** The caller no longer wants the rest of a stream. */
export interface CancelInvocationMessage {
  readonly kind: 'cancelInvocation';
  readonly headers?: HubHeaders | undefined;
  readonly invocationId: string;
}

/** Keeps the connection alive; asks for no answer. */
export interface PingMessage {
  readonly kind: 'ping';
}

/** The last message of a connection (section 9). */
export interface CloseMessage {
  readonly kind: 'close';
  /** Present: the connection failed. Never empty. */
  readonly error?: string | undefined;
  /** Whether the client may connect again; absent is false. */
  readonly allowReconnect?: boolean | undefined;
}

/** Stateful reconnect: all messages up to this number were received. */
export interface AckMessage {
  readonly kind: 'ack';
  readonly sequenceId: number;
}

/** Stateful reconnect: the number of the next message that counts. */
export interface SequenceMessage {
  readonly kind: 'sequence';
  readonly sequenceId: number;
}

/** All that two ends of a SignalR connection say after the handshake (hub-protocol section 4). */
export type HubMessage =
  | InvocationMessage
  | StreamItemMessage
  | CompletionMessage
  | StreamInvocationMessage
  | CancelInvocationMessage
  | PingMessage
  | CloseMessage
  | AckMessage
  | SequenceMessage;

/** Type numbers on the wire, the same in both encodings. */
export const hubMessageTypes: Readonly<Record<HubMessage['kind'], number>> = {
  invocation: 1,
  streamItem: 2,
  completion: 3,
  streamInvocation: 4,
  cancelInvocation: 5,
  ping: 6,
  close: 7,
  ack: 8,
  sequence: 9,
};

/** One encoding of hub messages. Stateless; splitters carry what a connection has to remember. */
export interface HubProtocol {
  readonly name: 'json' | 'messagepack';
  /** Whether it needs binary frames; text frames otherwise. */
  readonly binary: boolean;
  /** The highest handshake version it speaks; every lower one from 0 on is spoken too. */
  readonly version: number;
  /** Cuts a connection's bytes into records for `parse`. */
  split(options: SplitOptions): Splitter;
  /**
   * The message in one record, without its frame. `undefined` for a type this protocol does not know: skip it.
   * To pass a message on unchanged keep the record; what was parsed does not make the same bytes again.
   * @throws MalformedError for all that the official JavaScript reader refuses, and for fields of the wrong type.
   */
  parse(record: Uint8Array): HubMessage | undefined;
  /**
   * One framed message.
   * @throws TypeError when the message breaks a rule of its fields, or a value has no form in this encoding.
   */
  write(message: HubMessage): Uint8Array;
}

/** A call without arguments of its own form: they are given as bytes or text that the encoding has already. */
export interface RawInvocation<Arguments> {
  readonly target: string;
  readonly rawArguments: Arguments;
  /** Only when the client's answer is wanted: clients before version 7 close the connection over it. */
  readonly invocationId?: string | undefined;
}

/** Clients take an empty error for success, so a writer refuses it. */
export function checkError(error: string | undefined): void {
  if (error === '') throw new TypeError('"error" must not be empty');
}
