import { describe, expect, it } from 'vitest';
import { InterruptedError } from '../../../src/errors.ts';
import {
  openValidators,
  type ValidateEvent,
  type ValidateOptions,
} from '../../../src/flows/validation/validate.ts';
import type { Flaws } from '../../helpers/misbehaving-server.ts';
import { until } from '../../helpers/wait.ts';
import { failureOf, type LabOptions, ofType, startLab } from '../harness.ts';

/** Both ways for one token of a scripted server. */
async function startWays(script: LabOptions, flaws: Flaws = {}, options: Partial<ValidateOptions> = {}) {
  const lab = await startLab(script);
  const events: ValidateEvent[] = [];
  const token = await lab.server.idToken({ ...flaws, claims: { typ: 'Bearer', ...flaws.claims } });
  const ways = openValidators(lab.ctx, { target: lab.target, token, leeway: 0, ...options }, (event) =>
    events.push(event),
  );
  return { ...lab, ways, events };
}

describe('the keys of the local check', () => {
  it('are fetched once, and their time is told apart', async () => {
    const { ways, server, clock, events } = await startWays({});
    const cold = await ways.local();
    clock.pass(100_000);
    const warm = await ways.local();
    expect(cold).toMatchObject({ verdict: 'accepted', keysMs: 0 });
    expect(warm).toMatchObject({ verdict: 'accepted', keysMs: undefined });
    expect(await ways.timeCheck()).toBe(0);
    expect(server.to('jwks')).toHaveLength(1);
    expect(ofType(events, 'keys_response')).toMatchObject([{ count: 2 }]);
  });

  it('are fetched again where none has the kid, and no sooner than after half a minute', async () => {
    const { ways, server, clock } = await startWays({}, { kid: 'gone' });
    await ways.local();
    await ways.local();
    clock.pass(29_999);
    await ways.local();
    expect(server.to('jwks')).toHaveLength(1);
    clock.pass(1);
    expect((await ways.local()).verdict).toBe('refused');
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
    const { ways, clock } = await startWays({ jwks }, { kid: 'gone' });
    await ways.local();
    clock.pass(30_000);
    const { verdict, error } = await ways.local();
    expect({ verdict, error }).toEqual({ verdict: 'refused', error: undefined });
    expect(fetched).toBe(2);
  });

  it('are asked for again after a failure', async () => {
    let fetched = 0;
    const { ways } = await startWays({
      jwks: () => {
        fetched += 1;
        return 'reset';
      },
    });
    expect(await ways.local()).toMatchObject({ verdict: 'unknown', error: { code: 'connection_reset' } });
    expect(await ways.local()).toMatchObject({ verdict: 'unknown' });
    expect(fetched).toBe(2);
  });

  it('are not needed for a token that its header condemns', async () => {
    const { ways, server } = await startWays({}, { alg: 'none' });
    expect((await ways.local()).verdict).toBe('refused');
    expect(server.to('jwks')).toEqual([]);
  });
});

describe('the verdict of introspection', () => {
  it('is open where the server failed, and the error is kept', async () => {
    const { ways } = await startWays({ introspection: [{ status: 503, json: { error: 'busy' } }, 'reset'] });
    expect(await ways.introspection()).toMatchObject({
      verdict: 'unknown',
      error: { code: 'refused', oauth: { error: 'busy' } },
    });
    expect(await ways.introspection()).toMatchObject({
      verdict: 'unknown',
      error: { code: 'connection_reset' },
    });
  });

  it('is no verdict where the person interrupts it', async () => {
    const { ways, server } = await startWays({ introspection: ['hang'] });
    const abort = new AbortController();
    const asked = failureOf(ways.introspection(abort.signal));
    await until(() => server.to('introspection').length === 1);
    abort.abort(new InterruptedError('SIGINT'));
    expect(await asked).toBeInstanceOf(InterruptedError);
  });
});
