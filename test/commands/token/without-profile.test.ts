import { describe, expect, it } from 'vitest';
import { TOKENS } from '../../helpers/misbehaving-server.ts';
import { startWorkplace } from '../../helpers/workplace.ts';

const JWT = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJjbC10YXJvIn0.';

describe('kept tokens of a server and a client without a profile', () => {
  it('are shown, decoded and forgotten with --issuer and --client-id', async () => {
    const json = { ...TOKENS.json, access_token: JWT };
    const { run, target } = await startWorkplace({ token: [{ json }] });
    await run('token', 'client-credentials', ...target);
    expect(JSON.parse((await run('token', 'show', ...target, '--json')).stdout)).toEqual(json);
    for (const reference of ['@last', '@last.access_token']) {
      const { code, stdout } = await run('jwt', 'decode', reference, ...target, '--field', 'claims.sub');
      expect({ code, stdout }).toEqual({ code: 0, stdout: 'cl-taro\n' });
    }
    expect((await run('token', 'show', ...target.slice(0, 2), '--client-id', 'another')).code).toBe(2);
    expect((await run('token', 'forget', ...target)).code).toBe(0);
    expect((await run('token', 'show', ...target)).code).toBe(2);
  });
});
