import { expect, it } from 'vitest';
import { RequestLog } from '../../../src/commands/serve/log.ts';
import type { AnsweredRequest } from '../../../src/servers/resource-server.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { until } from '../../helpers/wait.ts';

const ANSWERED: AnsweredRequest = {
  route: 'resource',
  method: 'GET',
  path: '/',
  status: 401,
  verdict: undefined,
  description: undefined,
  ms: 1,
};

function startLog() {
  const clock = new FakeClock({ auto: false });
  const written: string[] = [];
  const log = new RequestLog({ clock, write: (text) => written.push(text), json: true });
  return { clock, log, written, lines: () => written.join('').split('\n').length - 1 };
}

it('several requests are written at once, after 50 ms', async () => {
  const { clock, log, written, lines } = startLog();
  log.add(ANSWERED);
  log.add(ANSWERED);
  expect(clock.sleeps).toEqual([50]);
  expect(written).toEqual([]);
  clock.advance(50);
  await until(() => written.length > 0);
  expect([written.length, lines()]).toEqual([1, 2]);
  log.add(ANSWERED);
  expect(clock.sleeps).toEqual([50, 50]);
});

it('flush writes what is collected without a wait, and ends the wait', () => {
  const { clock, log, written, lines } = startLog();
  log.add(ANSWERED);
  log.flush();
  log.flush();
  expect([written.length, lines(), clock.asleep]).toEqual([1, 1, 0]);
});

it('500 lines are written without a wait', () => {
  const { log, lines } = startLog();
  for (let count = 0; count < 500; count += 1) log.add(ANSWERED);
  expect(lines()).toBe(500);
});
