export { MalformedError, TooLargeError } from './errors.ts';
export {
  FrameSplitter,
  frame,
  type LengthPrefix,
  maxFrameLength,
  RecordSplitter,
  readLengthPrefix,
  recordSeparator,
  type SplitOptions,
  type Splitter,
  writeLengthPrefix,
} from './framing.ts';
export {
  acceptHandshake,
  type HandshakeAccepted,
  type HandshakeRefusal,
  type HandshakeRequest,
  type HandshakeResponse,
  handshakeErrors,
  handshakeRequest,
  handshakeResponse,
  parseHandshakeRequest,
  parseHandshakeResponse,
} from './handshake.ts';
export {
  type AckMessage,
  type CancelInvocationMessage,
  type CloseMessage,
  type CompletionMessage,
  type HubHeaders,
  type HubMessage,
  type HubProtocol,
  hubMessageTypes,
  type InvocationMessage,
  type PingMessage,
  type RawInvocation,
  type SequenceMessage,
  type StreamInvocationMessage,
  type StreamItemMessage,
} from './hub.ts';
export { jsonHubProtocol, jsonInvocation } from './hub-json.ts';
export { messagePackHubProtocol, messagePackInvocation } from './hub-messagepack.ts';
export { hubProtocol, hubProtocols } from './hub-protocols.ts';
export { jsonToMessagePack } from './json-to-messagepack.ts';
export { decodeValue, encodeValue, readValue, writeValue } from './messagepack.ts';
export { type Extension, type MessagePackType, maxDepth, Reader } from './messagepack-reader.ts';
export { Writer } from './messagepack-writer.ts';
export {
  type JsonPayload,
  type PayloadMap,
  parsePayloadJson,
  parsePayloadMap,
  writePayloadMap,
} from './rest.ts';
export {
  type RestOperation,
  type RestParts,
  type RestQuery,
  type RestRoute,
  restApiVersion,
  restAudiencePath,
  restOperations,
  restPath,
} from './rest-paths.ts';
export {
  readServiceMessage,
  type ServiceMessage,
  type ServiceMessageKind,
  type ServiceMessageOf,
  writeServiceMessage,
  writeServiceMessageBody,
} from './service.ts';
export type { Extensions } from './service-extensions.ts';
export type { Claims, ServiceHeaders } from './service-fields.ts';
export {
  ackStatuses,
  dataTypes,
  eventKinds,
  eventObjects,
  flowControlOperations,
  flowControlTypes,
  serverConnectionTypes,
  serviceLayouts,
} from './service-messages.ts';
export {
  type GroupMember,
  type MemberPage,
  readClaims,
  readMemberPage,
  writeClaims,
  writeMemberPage,
} from './service-payloads.ts';
export {
  clientCountPing,
  echoPing,
  keepAlivePing,
  messageLogPing,
  offlinePing,
  type Ping,
  type PingMeaning,
  readPing,
  type ServiceFigures,
  type ShutdownStage,
  serversPing,
  serversRequestPing,
  shutdownPing,
  statusPing,
  statusRequestPing,
  targetPing,
} from './service-ping.ts';
export {
  connectedBody,
  disconnectedBody,
  isWebhookSignature,
  readDisconnectedBody,
  readWebhookInvocation,
  webhookContentTypes,
  webhookProtocol,
  webhookSignature,
} from './webhook.ts';
export {
  type ClaimPair,
  readWebhookHead,
  type WebhookClient,
  type WebhookHead,
  webhookHeaders,
  writeWebhookClient,
  writeWebhookEvent,
} from './webhook-headers.ts';
