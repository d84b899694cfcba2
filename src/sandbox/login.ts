import { SessionNotFound } from 'oidc-provider/lib/helpers/errors.js';
import type {
  Context,
  Grant,
  Interaction,
  Middleware,
  Payload,
  Provider,
} from 'oidc-provider/lib/provider.js';
import { parseJson, stringifyJson } from '../exact-json.ts';
import type { SandboxUser } from './accounts.ts';
import { saveGrant } from './grant-source.ts';
import { details, html, sendPage, sendRefusal } from './pages.ts';
import { ACR_VALUES, LOGIN_PATH, REALM_PATH, type SandboxParts, SCOPES } from './parts.ts';

/** The path of one sign-in. */
const SIGN_IN = new RegExp(`^${LOGIN_PATH}/([\\w-]+)$`);

/** What the client asked for, read from the parameters of its request. */
interface Wishes {
  readonly scopes: readonly string[];
  readonly claims: readonly string[];
  readonly resources: readonly string[];
  readonly authorizationDetails: string | undefined;
}

/** Where the browser goes for the person to sign in or to consent. */
export function loginUrl(issuer: string, uid: string): string {
  return `${issuer}${LOGIN_PATH}/${uid}`;
}

/**
 * The page on which a person signs in and consents at once, or only consents where they are signed in already.
 *
 * @see OpenID Connect Core 1.0 §3.1.2.3, §3.1.2.4
 */
export function loginPage(provider: Provider, parts: SandboxParts): Middleware {
  return async (ctx, next) => {
    const uid = SIGN_IN.exec(ctx.path)?.[1];
    if (uid === undefined) {
      await next();
      return;
    }
    const interaction = await findInteraction(provider, ctx);
    if (interaction?.uid !== uid) {
      ctx.status = 400;
      sendRefusal(ctx, {
        error: 'invalid_request',
        error_description: 'this sign-in is over, or another browser has begun it',
      });
    } else if (ctx.method === 'POST') {
      await takeDecision(provider, parts, ctx, interaction);
    } else {
      showLogin(parts, ctx, interaction);
    }
  };
}

async function findInteraction(provider: Provider, ctx: Context): Promise<Interaction | undefined> {
  try {
    return await provider.interactionDetails(ctx.req, ctx.res);
  } catch (error) {
    if (error instanceof SessionNotFound) return undefined;
    throw error;
  }
}

async function takeDecision(
  provider: Provider,
  parts: SandboxParts,
  ctx: Context,
  interaction: Interaction,
): Promise<void> {
  const form = new URLSearchParams(ctx.req.received.toString('utf8'));
  if (form.has('cancel')) {
    await goOn(provider, ctx, { error: 'access_denied', error_description: 'the user cancelled' });
    return;
  }
  const isLogin = interaction.prompt.name === 'login';
  const user = isLogin
    ? parts.accounts.authenticate((form.get('username') ?? '').trim(), form.get('password') ?? '')
    : parts.accounts.byId(interaction.session?.accountId ?? '');
  if (user === undefined) {
    showLogin(parts, ctx, interaction, form.get('username') ?? '');
    return;
  }
  const acr = isLogin ? reachedAcr(interaction) : undefined;
  if (isLogin && acr === undefined) {
    await goOn(provider, ctx, {
      error: 'unmet_authentication_requirements',
      error_description: `the sandbox reaches acr ${ACR_VALUES.join(' and ')} only`,
    });
    return;
  }
  const previous = await previousGrant(provider, interaction, user);
  await leaveOtherUser(provider, interaction, user);
  const login = { accountId: user.accountId, acr, amr: ['pwd'] };
  const { scopes, claims, resources } = readWishes(interaction);
  const grant = await saveGrant(
    provider,
    { accountId: user.accountId, clientId: interaction.params.client_id },
    {
      scope: [...scopes, previous?.getOIDCScope() ?? ''].join(' '),
      claims: [...claims, ...(previous?.getOIDCClaims() ?? [])],
      resources,
    },
  );
  await goOn(provider, ctx, { ...(isLogin ? { login } : {}), consent: { grantId: grant.jti } });
}

async function goOn(provider: Provider, ctx: Context, result: Payload): Promise<void> {
  const url = await provider.interactionResult(ctx.req, ctx.res, result);
  ctx.status = 303;
  ctx.redirect(url);
}

/**
 * The acr of this login: the first one asked for that the sandbox has; undefined where the client insists on others.
 *
 * @see OpenID Connect Core 1.0 §5.5.1.1
 */
function reachedAcr({ params, prompt }: Interaction): string | undefined {
  const claim = prompt.details.acr as { value?: string; values?: readonly string[] } | undefined;
  const essential = claim?.values ?? (claim?.value === undefined ? undefined : [claim.value]);
  if (essential !== undefined) {
    return essential.find((value) => ACR_VALUES.includes(value));
  }
  const wished = typeof params.acr_values === 'string' ? params.acr_values.split(' ') : [];
  return wished.find((value) => ACR_VALUES.includes(value)) ?? ACR_VALUES[0];
}

/** What this user has granted the client in this session: who accepts more takes nothing back. */
async function previousGrant(
  provider: Provider,
  { grantId }: Interaction,
  user: SandboxUser,
): Promise<Grant | undefined> {
  const grant = grantId === undefined ? undefined : await provider.Grant.find(grantId);
  return grant?.accountId === user.accountId ? grant : undefined;
}

/** Ends the session of another user, so that this browser goes on as the one who has just signed in. */
async function leaveOtherUser(
  provider: Provider,
  interaction: Interaction,
  user: SandboxUser,
): Promise<void> {
  if (interaction.session === undefined || interaction.session.accountId === user.accountId) return;
  const session = await provider.Session.findByUid(interaction.session.uid);
  await session?.destroy();
  interaction.session = undefined;
  await interaction.persist();
}

/** The members of the `claims` parameter that are shown. */
type WishedClaims = { readonly [place in 'userinfo' | 'id_token']?: object | null };

function readWishes({ params }: Interaction): Wishes {
  const scope = typeof params.scope === 'string' ? params.scope.split(' ') : [];
  const claims = typeof params.claims === 'string' ? (parseJson(params.claims) as WishedClaims) : {};
  return {
    scopes: scope.filter((name) => SCOPES.includes(name)),
    claims: [...new Set([claims.userinfo, claims.id_token].flatMap((part) => Object.keys(part ?? {})))],
    resources: [params.resource ?? []].flat(),
    authorizationDetails:
      typeof params.authorization_details === 'string' ? params.authorization_details : undefined,
  };
}

function showLogin(parts: SandboxParts, ctx: Context, interaction: Interaction, rejected?: string): void {
  const { params, prompt, session } = interaction;
  const clientId = String(params.client_id);
  const { scopes, claims, resources, authorizationDetails } = readWishes(interaction);
  const current = session === undefined ? undefined : parts.accounts.byId(session.accountId)?.username;
  const isLogin = prompt.name === 'login';
  const username = rejected ?? (typeof params.login_hint === 'string' ? params.login_hint : current) ?? '';
  sendPage(ctx, {
    title: isLogin ? 'Sign in to the sandbox' : 'Consent in the sandbox',
    formAction: redirectSource(params.redirect_uri),
    body: html`<p>The client asks for access in your name.</p>
${details({
  Client: clientId,
  'What it is': parts.clients.find((client) => client.client_id === clientId)?.purpose,
  Scopes: scopes.join(' '),
  Claims: claims.join(' '),
  Resources: resources.join(' '),
  'Authorization details': authorizationDetails && html`<pre>${indented(authorizationDetails)}</pre>`,
  'Signed in as': isLogin ? undefined : current,
})}
${rejected === undefined ? undefined : html`<p class="error" role="alert">Invalid username or password.</p>`}
<form method="post" action="${REALM_PATH}${LOGIN_PATH}/${interaction.uid}">
${isLogin ? credentialFields(username) : undefined}
<button type="submit" id="kc-login" name="accept" value="yes"${isLogin ? undefined : { html: ' autofocus' }}>${isLogin ? 'Sign in and accept' : 'Accept'}</button>
<button type="submit" id="kc-cancel" name="cancel" value="yes" formnovalidate>Cancel</button>
</form>`,
  });
}

/** The first field that is to be filled in has the focus. */
function credentialFields(username: string) {
  const focus = { html: ' autofocus' };
  const [onName, onPassword] = username === '' ? [focus, undefined] : [undefined, focus];
  return html`<label for="username">User name</label>
<input id="username" name="username" type="text" value="${username}" autocomplete="username" required${onName}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required${onPassword}>`;
}

function indented(json: string): string {
  return stringifyJson(parseJson(json), 2);
}

/** The CSP source of a redirect URI, which browsers check the answer to the form against. CSP knows no IPv6 addresses. */
function redirectSource(redirectUri: unknown): string | undefined {
  if (typeof redirectUri !== 'string' || !URL.canParse(redirectUri)) return undefined;
  const { origin, hostname, protocol } = new URL(redirectUri);
  return hostname.startsWith('[') ? protocol : origin;
}
