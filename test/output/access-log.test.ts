import { describe, expect, it } from 'vitest';
import { renderLogLine } from '../../src/output/access-log.ts';

const REQUEST = {
  at: Date.UTC(2026, 0, 1),
  method: 'GET',
  path: '/',
  status: 401,
  tenant: 'https://a.example',
  reason: 'expired',
  description: 'exp: it expired 1 s ago',
  ms: 1.25,
};

describe('a line of the log of requests', () => {
  it('says what was asked, what was answered, and why', () => {
    expect(renderLogLine(REQUEST, false)).toBe(
      '2026-01-01T00:00:00.000Z GET / 401 https://a.example expired 1.3 ms · exp: it expired 1 s ago\n',
    );
    expect(renderLogLine({ ...REQUEST, status: 200, reason: null, description: null }, false)).toBe(
      '2026-01-01T00:00:00.000Z GET / 200 https://a.example - 1.3 ms\n',
    );
  });

  it('is one JSON object for scripts', () => {
    const { at: _at, ...members } = REQUEST;
    const line = { time: '2026-01-01T00:00:00.000Z', ...members, ms: 1.3 };
    expect(JSON.parse(renderLogLine(REQUEST, true))).toEqual(line);
  });

  it.each([false, true])('stays one line, whatever others write (JSON: %s)', (json) => {
    const evil = `a\nGET / 200\r\u001b[2K\u2028${'x'.repeat(5000)}`;
    const line = renderLogLine({ ...REQUEST, path: evil, description: evil, tenant: 'iss-not-listed' }, json);
    expect(line.indexOf('\n')).toBe(line.length - 1);
    for (const character of ['\r', '\u001b']) expect(line).not.toContain(character);
    expect(line.length).toBeLessThan(1000);
  });
});
