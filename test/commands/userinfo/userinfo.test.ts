import { describe, expect, it } from 'vitest';
import { startWorkplace } from '../../helpers/workplace.ts';

const JWT = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJjbC10YXJvIn0.c2ln';
const CLAIMS = {
  sub: 'cl-taro',
  _claim_names: { address: 'src1', score: 'src2' },
  _claim_sources: {
    src1: { JWT },
    src2: { endpoint: 'https://bank.example/claims', access_token: 'opaque-access-token' },
  },
};

describe('userinfo', () => {
  it('masks the tokens of aggregated and distributed claims, but for --json and --show-secrets', async () => {
    const { run, target, trace, traced } = await startWorkplace({
      userinfo: [{ json: CLAIMS }, { json: CLAIMS }, { json: CLAIMS }],
    });
    const ask = (...args: string[]) => run('userinfo', 'opaque-token', ...target, ...args);
    const shown = await ask('-v', '--trace', trace);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toContain('https://bank.example/claims');
    for (const text of [shown.stdout, shown.stderr, await traced()]) {
      expect(text).not.toContain(JWT);
      expect(text).not.toContain('opaque-access-token');
    }
    expect(JSON.parse((await ask('--json')).stdout)).toEqual(CLAIMS);
    expect((await ask('--show-secrets')).stdout).toContain('opaque-access-token');
  });

  it('sends the token in a form with --bearer-method body', async () => {
    const { run, target, server } = await startWorkplace({ userinfo: [{ json: CLAIMS }, { json: CLAIMS }] });
    const args = ['userinfo', 'opaque-token', ...target, '--bearer-method'];
    expect((await run(...args, 'body', '--param', 'schema=openid')).code).toBe(0);
    expect((await run(...args, 'header')).code).toBe(0);
    const [inBody, inHeader] = server.to('userinfo');
    expect(inBody).toMatchObject({ method: 'POST', path: '/userinfo' });
    expect(inBody?.headers.authorization).toBeUndefined();
    expect(inBody?.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect([...(inBody?.form ?? [])]).toEqual([
      ['access_token', 'opaque-token'],
      ['schema', 'openid'],
    ]);
    expect(inHeader).toMatchObject({ method: 'GET', headers: { authorization: 'Bearer opaque-token' } });
  });

  it('masks the token of the form in -v and under --curl', async () => {
    const { run, target } = await startWorkplace({ userinfo: [{ json: CLAIMS }] });
    const args = ['userinfo', 'opaque-token', ...target, '--bearer-method', 'body'];
    for (const way of ['-v', '--curl']) {
      const { code, stdout, stderr } = await run(...args, way);
      expect(code).toBe(0);
      expect(stdout + stderr).not.toContain('opaque-token');
    }
  });

  it('sends no token that is bound to a DPoP key in a form', async () => {
    const { run, target, makeKey } = await startWorkplace({});
    const { file } = await makeKey();
    const { code, stderr } = await run(
      ...['userinfo', 'opaque-token', ...target, '--dpop-key', file, '--bearer-method', 'body'],
    );
    expect(code).toBe(2);
    expect(stderr).toContain('--no-dpop');
  });
});
