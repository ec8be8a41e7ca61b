export type { Address, Place, Recipient } from './address.ts';
export { AppServer, type AppServerOptions, type Health, type StopOptions } from './app-server.ts';
export { type ConnectionString, parseConnectionString } from './connection-string.ts';
export type * from './contract.ts';
export { defineHub } from './define-hub.ts';
export { ClientResultError, type ErrorCode, HubException, RestError, SignalboxError } from './errors.ts';
export type {
  Authorize,
  Claims,
  DepartedHub,
  DisconnectReason,
  Hub,
  HubCallerClients,
  HubCallerContext,
  HubDefinition,
  HubEvent,
  HubFilter,
  HubOptions,
  HubSettings,
  Schema,
} from './hub.ts';
export type {
  BatchResult,
  CallOptions,
  ConnectionManager,
  GroupManager,
  HubClients,
  HubContext,
  UserGroupManager,
} from './hub-context.ts';
export type { NegotiateOptions, NegotiateResponse } from './negotiate.ts';
export { type Identify, type NodeHandler, negotiateHandler } from './negotiate-handler.ts';
export type { Logger, Observer } from './observe.ts';
export { type CommonOptions, SignalboxClient, type SignalboxClientOptions } from './signalbox-client.ts';
export { WebhookApp, type WebhookAppOptions } from './webhook-app.ts';
