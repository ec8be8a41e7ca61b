import { expect, test } from 'vitest';
import { GatewayProcess } from '../support/gateway-process.ts';

test('a wrong upstream ends the process with exit code 2 and one line, and its URL stays secret', async () => {
  const wrong = await GatewayProcess.run({ SIGNALBOX_UPSTREAM: 'http://h/{Event}?code=s3cret' });
  expect([wrong.code, wrong.stderr]).toEqual([
    2,
    'signalbox-gateway: SIGNALBOX_UPSTREAM must have no placeholders but {hub}, {category}, {event}, got {Event}\n',
  ]);
  const missing = await GatewayProcess.run({ SIGNALBOX_UPSTREAM_FILE: '/nonexistent/settings.json' });
  expect([missing.code, missing.stderr]).toEqual([
    2,
    'signalbox-gateway: SIGNALBOX_UPSTREAM_FILE must name a file that can be read, got /nonexistent/settings.json (ENOENT)\n',
  ]);
  const shown = await GatewayProcess.run({ SIGNALBOX_UPSTREAM: 'http://h/?code=s3cret' }, ['--print-config']);
  expect(shown.stdout).toContain('SIGNALBOX_UPSTREAM=(set)\n');
  expect(shown.stdout).not.toContain('s3cret');
});
