import { describe, expect, it } from 'vitest';
import { InterruptedError } from '../../../src/errors.ts';
import {
  openValidators,
  type ValidateEvent,
  type ValidateOptions,
} from '../../../src/flows/validation/validate.ts';
import type { Flaws } from '../../helpers/misbehaving-server.ts';
import { until } from '../../helpers/wait.ts';
import { awaitFailure, type LabOptions, ofType, startLab } from '../harness.ts';

/** Both validators for one token of a scripted server. */
async function startValidators(
  script: LabOptions,
  flaws: Flaws = {},
  options: Partial<ValidateOptions> = {},
) {
  const lab = await startLab(script);
  const events: ValidateEvent[] = [];
  const token = await lab.server.idToken({ ...flaws, claims: { typ: 'Bearer', ...flaws.claims } });
  const validators = openValidators(lab.ctx, { target: lab.target, token, leeway: 0, ...options }, (event) =>
    events.push(event),
  );
  return { ...lab, validators, events };
}

describe('the keys of the local check', () => {
  it('are fetched once, and their time is told apart', async () => {
    const { validators, server, clock, events } = await startValidators({});
    const cold = await validators.local();
    clock.pass(100_000);
    const warm = await validators.local();
    expect(cold).toMatchObject({ verdict: 'accepted', keysMs: 0 });
    expect(warm).toMatchObject({ verdict: 'accepted', keysMs: undefined });
    expect(await validators.timeCheck()).toBe(0);
    expect(server.to('jwks')).toHaveLength(1);
    expect(ofType(events, 'keys_response')).toMatchObject([{ count: 2 }]);
  });

  it('are fetched again where none has the kid, and no sooner than after half a minute', async () => {
    const { validators, server, clock } = await startValidators({}, { kid: 'gone' });
    await validators.local();
    await validators.local();
    clock.pass(29_999);
    await validators.local();
    expect(server.to('jwks')).toHaveLength(1);
    clock.pass(1);
    expect((await validators.local()).verdict).toBe('refused');
    expect(server.to('jwks')).toHaveLength(2);
  });

  it('stay as they are where they cannot be fetched again', async () => {
    let fetched = 0;
    const lab = await startLab();
    const keys = await (await fetch(`${lab.server.issuer}/jwks`)).json();
    const jwks = () => {
      fetched += 1;
      return fetched === 1 ? { json: keys } : ('reset' as const);
    };
    const { validators, clock } = await startValidators({ jwks }, { kid: 'gone' });
    await validators.local();
    clock.pass(30_000);
    const { verdict, error } = await validators.local();
    expect({ verdict, error }).toEqual({ verdict: 'refused', error: undefined });
    expect(fetched).toBe(2);
  });

  it('are asked for again after a failure', async () => {
    let fetched = 0;
    const { validators } = await startValidators({
      jwks: () => {
        fetched += 1;
        return 'reset';
      },
    });
    expect(await validators.local()).toMatchObject({
      verdict: 'unknown',
      error: { code: 'connection_reset' },
    });
    expect(await validators.local()).toMatchObject({ verdict: 'unknown' });
    expect(fetched).toBe(2);
  });

  it('are not needed for a token that its header condemns', async () => {
    const { validators, server } = await startValidators({}, { alg: 'none' });
    expect((await validators.local()).verdict).toBe('refused');
    expect(server.to('jwks')).toEqual([]);
  });
});

describe('the verdict of introspection', () => {
  it('is open where the server failed, and the error is kept', async () => {
    const { validators } = await startValidators({
      introspection: [{ status: 503, json: { error: 'busy' } }, 'reset'],
    });
    expect(await validators.introspection()).toMatchObject({
      verdict: 'unknown',
      error: { code: 'refused', oauth: { error: 'busy' } },
    });
    expect(await validators.introspection()).toMatchObject({
      verdict: 'unknown',
      error: { code: 'connection_reset' },
    });
  });

  it('is no verdict where the person interrupts it', async () => {
    const { validators, server } = await startValidators({ introspection: ['hang'] });
    const abort = new AbortController();
    const asked = awaitFailure(validators.introspection(abort.signal));
    await until(() => server.to('introspection').length === 1);
    abort.abort(new InterruptedError('SIGINT'));
    expect(await asked).toBeInstanceOf(InterruptedError);
  });
});
