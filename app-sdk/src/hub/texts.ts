/** Texts of the official server (hub-protocol section 8). Applications match on them: keep the wording. */
export const texts = {
  unknownMethod: (target: string) =>
    `Failed to invoke '${target}' due to an error on the server. HubException: Method does not exist.`,
  unauthorized: (target: string) => `Failed to invoke '${target}' because user is unauthorized`,
  binding: (target: string) => `Failed to invoke '${target}' due to an error on the server.`,
  bindingDetail:
    'InvalidDataException: Error binding arguments. Make sure that the types of the provided values match the types of the hub method being invoked.',
  countDetail: (provided: number, expected: number) =>
    `InvalidDataException: Invocation provides ${provided} argument(s) but target expects ${expected}.`,
  failed: (target: string) => `An unexpected error occurred invoking '${target}' on the server.`,
  streaming: (target: string) =>
    `The client attempted to invoke the streaming '${target}' method with a non-streaming invocation.`,
  notStreaming: (target: string) =>
    `The client attempted to invoke the non-streaming '${target}' method with a streaming invocation.`,
  idInUse: (id: string) => `Invocation ID '${id}' is already in use.`,
  streamIdInUse: (id: string) => `Stream ID '${id}' is already in use.`,
  streamFailed: 'An error occurred on the server while streaming results.',
  closed: 'Connection closed with an error.',
  tooLarge: (bytes: number) =>
    `InvalidDataException: The maximum message size of ${bytes}B was exceeded. The message size can be configured in AddHubOptions.`,
  idle: "OperationCanceledException: Client hasn't sent a message/ping within the configured ClientTimeoutInterval.",
  wrongConnection: (connectionId: string, invocationId: string) =>
    `Connection ID '${connectionId}' is not valid for invocation ID '${invocationId}'.`,
  disconnected: (connectionId: string) => `Connection '${connectionId}' disconnected.`,
} as const;

/** Whether an error was thrown to be read by the client. By name: two copies of this package may be loaded. */
export function isHubException(error: unknown): error is Error {
  return error instanceof Error && error.name === 'HubException';
}

/** Whether a client that was asked for a result told why it gave none. */
function isClientFailure(error: unknown): error is Error {
  return error instanceof Error && (error as { code?: unknown }).code === 'ERR_CLIENT_FAILED';
}

/**
 * A text, and behind it what went wrong: always for a `HubException`, and for what a client answered to a question, which
 * ASP.NET Core throws as one; for all else when details are on.
 */
export function withDetail(text: string, error: unknown, detailed: boolean): string {
  if (isClientFailure(error)) return `${text} HubException: ${error.message}`;
  if (!detailed && !isHubException(error)) return text;
  return error instanceof Error ? `${text} ${error.name}: ${error.message}` : `${text} Error: ${String(error)}`;
}

/** What a log may know of an error that the app's own code threw. */
export function errorText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : String(error);
}
