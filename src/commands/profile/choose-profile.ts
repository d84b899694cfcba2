import { UsageError } from '../../errors.ts';
import type { Session } from '../../session/session.ts';
import type { Profile } from '../../store/profiles.ts';

/**
 * Offers the list of profiles on a terminal.
 * @throws UsageError `profile_missing` where there is none, or nobody to ask
 */
export async function chooseProfile(
  session: Session,
  {
    profiles,
    current,
  }: { readonly profiles: Readonly<Record<string, Profile>>; readonly current?: string | undefined },
): Promise<string> {
  const names = Object.keys(profiles);
  if (names.length > 0 && session.mayAsk) {
    const prompt = await session.ctx.prompt();
    return prompt.choose(
      'Profile to use:',
      names.map((name) => ({ value: name, label: name === current ? `${name} (current)` : name })),
    );
  }
  throw new UsageError('profile_missing', 'no profile is named', {
    hint:
      names.length > 0
        ? `Name one: ${names.join(', ')}.`
        : 'There are no profiles. Create one with "oauthctl profile add".',
  });
}
