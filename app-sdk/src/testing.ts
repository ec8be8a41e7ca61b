export { type RecordingHub, recordingHub } from './testing/recording-hub.ts';
export type { ConnectOptions, TestConnection } from './testing/test-connection.ts';
export { type TestHub, testHub } from './testing/test-hub.ts';
