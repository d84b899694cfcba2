import { afterEach, expect, it, vi } from 'vitest';
import { DeviceChannel } from '../../src/sandbox/device-channel.ts';
import { until } from '../helpers/wait.ts';
import { startDevice } from './harness.ts';

const delegation = { scope: 'openid', login_hint: 'cl-taro', is_consent_required: false };

afterEach(() => {
  vi.useRealTimers();
});

it('a device that does not answer within ten seconds counts as unreachable', async () => {
  const device = await startDevice(null);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const delivery = new DeviceChannel(device.url).deliver('bearer', delegation);
  await until(() => device.received.length === 1);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await delivery).toBe('unreachable');
});

it('a delivery leaves no timer behind', async () => {
  const device = await startDevice();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  expect(await new DeviceChannel(device.url).deliver('bearer', delegation)).toBe('accepted');
  await until(() => vi.getTimerCount() === 0);
});
