import type { CibaDeviceEvent, Decision } from './device.ts';
import type { CibaPollEvent } from './poll.ts';
import type { CibaRequestEvent } from './request.ts';

/** What an authentication device in the same process has seen of a request: says what the client has to wait for. */
export class DelegationRecord {
  #calls = 0;
  #answeredWith: number | undefined;
  #refusedBecause: string | undefined;
  #decision: Decision | undefined;
  #isPending = false;
  #result: string | undefined;
  #isAccepted = false;

  /** Whether the server has called the device, even with a delegation that was refused. */
  get wasCalled(): boolean {
    return this.#calls > 0;
  }

  /** Whether the server has accepted a result. */
  get hasResult(): boolean {
    return this.#isAccepted;
  }

  /** Takes note of one event. */
  record(event: CibaRequestEvent | CibaDeviceEvent | CibaPollEvent): void {
    switch (event.type) {
      case 'delegated':
        this.#calls += 1;
        return;
      case 'delegation_refused':
        this.#calls += 1;
        this.#refusedBecause = event.reason;
        return;
      case 'delegation_answered':
        this.#answeredWith = event.status;
        return;
      case 'decided':
        this.#decision = event.decision;
        return;
      case 'result_accepted':
        this.#isAccepted = true;
        this.#result = 'the server accepted the result of the device';
        return;
      case 'result_failed':
        this.#result = `the result of the device was not accepted: ${event.error.message}`;
        return;
      case 'polled':
        this.#isPending = true;
        return;
    }
  }

  /** What is known, in one clause. */
  describe(): string | undefined {
    if (!this.wasCalled) return 'the device was never called';
    if (this.#result !== undefined) return this.#result;
    if (this.#answeredWith === undefined) {
      return this.#refusedBecause === undefined
        ? 'the device was called, and has not answered'
        : `the device refused the delegation: ${this.#refusedBecause}`;
    }
    if (this.#answeredWith !== 201) return `the device answered the delegation with ${this.#answeredWith}`;
    if (this.#decision === 'ignore') return 'the device was called, and sends no result (--ignore)';
    if (this.#decision === 'hold') return 'the device holds the delegation (--hold)';
    if (this.#decision !== undefined) return 'the device has decided, and the result is not sent yet';
    return this.#isPending ? 'the user has not decided yet' : 'the device was called, and has not decided';
  }
}
