/** The verdict of one validation; `unknown` where it failed or cannot check the token. */
export type ObservedVerdict = 'accepted' | 'refused' | 'unknown';

export type ValidationMethod = 'local' | 'introspection';

/** A change of a verdict. Times in milliseconds since the epoch. */
export interface VerdictEvent {
  readonly at: number;
  readonly way: ValidationMethod;
  readonly verdict: ObservedVerdict;
  /** When it had still been the one before; undefined for the first. */
  readonly previousSeenAt?: number | undefined;
}

/** While the local check accepted what introspection refused. Times in milliseconds since the epoch. */
export interface AcceptanceWindow {
  readonly from: number;
  /** When introspection had last said otherwise; the window may have opened as early as that. */
  readonly earliest: number;
  readonly until: number;
  /** Whether the local check came to refuse the token as well, or introspection to accept it. */
  readonly isOver: boolean;
}

/**
 * Finds the longest time in which the local check accepted what introspection refused.
 * @param events in the order of time
 * @returns undefined where there is none
 */
export function findWindow(events: readonly VerdictEvent[], endedAt: number): AcceptanceWindow | undefined {
  const windows: AcceptanceWindow[] = [];
  let open: { from: number; earliest: number } | undefined;
  const verdicts: Record<ValidationMethod, ObservedVerdict> = { local: 'unknown', introspection: 'unknown' };
  for (const { at, way, verdict, previousSeenAt } of events) {
    verdicts[way] = verdict;
    const isOpen = verdicts.local === 'accepted' && verdicts.introspection === 'refused';
    if (isOpen) open ??= { from: at, earliest: previousSeenAt ?? at };
    else if (open !== undefined) {
      windows.push({ ...open, until: at, isOver: true });
      open = undefined;
    }
  }
  if (open !== undefined) windows.push({ ...open, until: endedAt, isOver: false });
  return windows.sort((one, other) => other.until - other.from - (one.until - one.from))[0];
}
