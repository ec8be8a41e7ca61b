import { testHub } from '@signalbox/app-sdk/testing';
import { hubSuite } from './hub.suite.ts';

hubSuite('memory', async (definition) => {
  const hub = testHub(definition);
  return { hub, connect: (options) => hub.connect(options), close: () => hub.close() };
});
