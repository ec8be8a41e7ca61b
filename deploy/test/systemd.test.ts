import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readConfig } from '../../gateway/src/config.ts';
import { read } from './support/files.ts';

const unit = read('deploy/systemd/signalbox.service');
const value = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1] ?? '';
const folder = mkdtempSync(join(tmpdir(), 'signalbox-unit-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a stop has longer than the drain and its slack, and wrong settings are not tried again', () => {
  const drainMs = Number(/^SIGNALBOX_DRAIN_MS=(\d+)$/m.exec(read('deploy/systemd/signalbox.env'))?.[1]);
  expect(Number(value('TimeoutStopSec')) * 1000).toBeGreaterThan(drainMs + 5000);
  expect(value('RestartPreventExitStatus')).toBe('2');
});

test('every client that is taken by default has a file descriptor', () => {
  expect(Number(value('LimitNOFILE'))).toBeGreaterThan(2 * readConfig({}).maxConnections);
});

const program = '/usr/bin/systemd-analyze';
/** What it says of the unit, on a machine that has Node elsewhere and no /opt/signalbox. */
function analyze(...args: string[]): { status: number | null; output: string } {
  const path = join(folder, 'signalbox.service');
  writeFileSync(path, unit.replace('/usr/bin/node', process.execPath));
  const { status, stdout, stderr } = spawnSync(program, [...args, path], { encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

// Part of systemd, which most machines have and containers do not; `.ci/run` installs it.
if (existsSync(program)) {
  test('systemd-analyze takes every line of the unit', () => {
    expect(analyze('verify', '--man=no')).toEqual({ status: 0, output: '' });
  });

  test('systemd-analyze rates what the unit may do as little: below 2 of 10', () => {
    const { status, output } = analyze('security', '--offline=yes', '--threshold=20', '--no-pager');
    expect(output).toMatch(/Overall exposure level for signalbox\.service: 1\.\d OK/);
    expect(status).toBe(0);
  });
}
