import { expect, it } from 'vitest';
import { NetworkError } from '../../../src/errors.ts';
import { DelegationRecord } from '../../../src/flows/ciba/delegation-record.ts';
import type { Decision } from '../../../src/flows/ciba/device.ts';
import type { CibaStartEvent } from '../../../src/flows/ciba/start.ts';

const DELEGATED = {
  type: 'delegated',
  url: '/api/v1/auth',
  summary: {
    number: 1,
    user: 'a',
    client: 'b',
    scope: undefined,
    bindingMessage: undefined,
    acrValues: undefined,
    consentRequired: undefined,
    waiting: 0,
  },
} satisfies CibaStartEvent;
const answered = (status: number): CibaStartEvent => ({ type: 'delegation_answered', status, number: 1 });
const refused: CibaStartEvent = {
  type: 'delegation_refused',
  reason: 'the bearer token is not trusted',
  status: 401,
};
const decided = (decision: Decision): CibaStartEvent => ({ type: 'decided', decision, number: 1, user: 'a' });
const polled: CibaStartEvent = {
  type: 'polled',
  refusal: { error: 'authorization_pending', status: 400, endpoint: 'token' },
  ms: 1,
};
const accepted: CibaStartEvent = { type: 'result_accepted', httpStatus: 200, ms: 1 };
const failed: CibaStartEvent = {
  type: 'result_failed',
  error: new NetworkError('connection_refused', 'nobody listens'),
  number: 1,
};

it.each<[string, CibaStartEvent[]]>([
  ['the device was never called', []],
  ['the device was never called', [polled, polled]],
  ['the device refused the delegation: the bearer token is not trusted', [refused, polled]],
  ['the device was called, and has not answered', [DELEGATED]],
  ['the device answered the delegation with 500', [DELEGATED, answered(500)]],
  ['the device was called, and has not decided', [DELEGATED, answered(201)]],
  ['the user has not decided yet', [DELEGATED, answered(201), polled]],
  [
    'the device was called, and sends no result (--ignore)',
    [DELEGATED, answered(201), decided('ignore'), polled],
  ],
  ['the device holds the delegation (--hold)', [DELEGATED, answered(201), decided('hold'), polled]],
  ['the device has decided, and the result is not sent yet', [DELEGATED, answered(201), decided('approve')]],
  [
    'the server accepted the result of the device',
    [DELEGATED, answered(201), decided('deny'), accepted, polled],
  ],
  [
    'the result of the device was not accepted: nobody listens',
    [DELEGATED, answered(201), decided('approve'), failed, polled],
  ],
])('a record says: %s', (clause, events) => {
  const record = new DelegationRecord();
  for (const event of events) record.record(event);
  expect(record.describe()).toBe(clause);
  expect(record.hasResult).toBe(events.includes(accepted));
  expect(record.wasCalled).toBe(clause !== 'the device was never called');
});
