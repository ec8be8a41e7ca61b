import type { ServiceMessage, ServiceMessageOf } from '@signalbox/app-sdk/protocol';

/** The answer to an invocation of a client that an app server waits for: without one it would wait for its own time-out. */
export function answerInvocation({
  invocationId,
  connectionId,
  callerServerId,
}: ServiceMessageOf<'ClientInvocation'>): ServiceMessage {
  const error = 'Client results are not supported by this gateway.';
  return { kind: 'ErrorCompletion', invocationId, connectionId, callerServerId, error };
}
