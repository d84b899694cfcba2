import { expect, it } from 'vitest';
import { reportFlow } from '../../../src/commands/ciba/report-flow.ts';
import { createContext } from '../../../src/context.ts';
import { InterruptedError, TimeoutError } from '../../../src/errors.ts';
import { Reporter } from '../../../src/output/reporter.ts';
import { colours } from '../../../src/output/style.ts';
import type { Session } from '../../../src/session/session.ts';
import { Settings } from '../../../src/session/settings.ts';
import { CibaSteps } from '../../../src/steps/ciba-steps.ts';
import { testParts } from '../../helpers/parts.ts';

/** A session whose last request is still pending. */
async function sessionWithPending(more: { pending_errors?: string[] } = {}): Promise<Session> {
  const parts = await testParts();
  const ctx = createContext(parts);
  await (await ctx.store()).pending.add({
    auth_req_id: 'the-auth-req-id',
    owner: 'sample',
    issuer: 'https://as.example',
    client_id: 'test-client',
    scope: 'openid',
    requested_at: 0,
    interval: 5,
    next_poll_at: 0,
    polls: 0,
    ...more,
  });
  return {
    ctx,
    globals: { input: false },
    settings: new Settings({ flags: {}, env: {}, profile: undefined }),
    profileName: 'sample',
    reporter: new Reporter({
      write: () => {},
      env: {},
      paint: await colours({}, false),
      isTerminal: false,
      quiet: true,
      terminal: () => parts.io.terminal,
    }),
    mayAsk: false,
  };
}

const interruptedBy = async (error: InterruptedError) => {
  const session = await sessionWithPending();
  return reportFlow(session, new CibaSteps(session.reporter), () => Promise.reject(error)).catch(
    (thrown: InterruptedError) => thrown,
  );
};

it('an interruption while a request is pending says how to go on', async () => {
  const error = await interruptedBy(new InterruptedError('SIGTERM'));
  expect(error).toMatchObject({ exitCode: 143, hint: expect.stringContaining('oauthctl ciba poll') });
});

it('an interruption that has something of its own to say keeps it', async () => {
  const error = await interruptedBy(new InterruptedError('SIGINT').withHint('nobody knows its fate'));
  expect(error).toMatchObject({ exitCode: 130, hint: 'nobody knows its fate' });
});

it('a deadline says how to go on, with the errors that mean "still pending"', async () => {
  const session = await sessionWithPending({ pending_errors: ['invalid_grant', 'not_yet'] });
  const error = new TimeoutError('deadline', 'the deadline passed', { hint: 'Allow more time.' });
  await expect(
    reportFlow(session, new CibaSteps(session.reporter), () => Promise.reject(error)),
  ).rejects.toMatchObject({
    exitCode: 6,
    message: 'the deadline passed',
    hint: 'The request is kept; go on with "oauthctl ciba poll --pending-error invalid_grant --pending-error not_yet".',
  });
});
