import { describe, expect, it } from 'vitest';
import { sendHeldResult } from '../../../src/flows/ciba/held-delegation.ts';
import type { ScriptedStep } from '../../helpers/misbehaving-server.ts';
import { awaitFailure, startLab } from '../harness.ts';

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

async function startHeld(callback: readonly ScriptedStep[], url?: string) {
  const lab = await startLab({ callback });
  const bearer = `${encode({ alg: 'none' })}.${encode({ iss: lab.server.issuer })}.`;
  const { pending } = await lab.ctx.store();
  await pending.hold({
    bearer,
    callback_url: url ?? `${lab.server.issuer}/ext/ciba/auth/callback`,
    received_at: lab.start,
  });
  return {
    ...lab,
    bearer,
    send: (given?: string) => sendHeldResult(lab.ctx, { status: 'SUCCEED', bearer: given }, () => {}),
    takeHeld: () => pending.takeHeld(),
  };
}

describe('the result of a held delegation', () => {
  it('is sent with the bearer token of the last one, which is not held any longer', async () => {
    const { send, server, bearer, takeHeld } = await startHeld([{ status: 200 }]);
    await send();
    expect(server.to('callback')[0]?.headers.authorization).toBe(`Bearer ${bearer}`);
    expect(await takeHeld()).toBeUndefined();
    expect(await awaitFailure(send())).toMatchObject({ code: 'nothing_held', exitCode: 2 });
    expect(server.to('callback')).toHaveLength(1);
  });

  it('is held again where it was certainly not sent', async () => {
    const { send, takeHeld, bearer } = await startHeld([], 'http://127.0.0.1:1/callback');
    expect(await awaitFailure(send())).toMatchObject({ code: 'connection_refused' });
    expect(await takeHeld()).toMatchObject({ bearer });
  });

  it('is not held again after a reset, because the server may have processed it', async () => {
    const { send, takeHeld } = await startHeld(['reset']);
    expect(await awaitFailure(send())).toMatchObject({ code: 'callback_fate_unknown' });
    expect(await takeHeld()).toBeUndefined();
  });

  it('releases the delegation whose bearer token is given', async () => {
    const { send, takeHeld, bearer, server } = await startHeld([
      { status: 403, json: { error: 'invalid_token' } },
    ]);
    const other = await awaitFailure(send(bearer));
    expect(other).toMatchObject({ exitCode: 3 });
    expect(server.to('callback')).toHaveLength(1);
    expect(await takeHeld()).toBeUndefined();
  });
});
