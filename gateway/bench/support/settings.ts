import { accessKey } from '../../test/support/tokens.ts';

const hour = '3600000';

/** Settings of every gateway here: nothing but what is measured happens, and no limit is met. */
export const settings: Readonly<Record<string, string>> = {
  PORT: '0',
  SIGNALBOX_ADMIN_PORT: '0',
  SIGNALBOX_ACCESS_KEY: accessKey,
  SIGNALBOX_LOG_LEVEL: 'error',
  SIGNALBOX_PING_MS: hour,
  SIGNALBOX_IDLE_MS: hour,
  SIGNALBOX_CONNECT_RATE: '1000000',
};
