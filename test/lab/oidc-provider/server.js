// oidc-provider as its package is, with a plain configuration: `node server.js PORT CONTROL_PORT`, with the registrations
// of its clients as JSON in OIDC_PROVIDER_CLIENTS. It has no authentication device: who is asked decides by
// `POST /approve?user=NAME` or `/deny?user=NAME` on the control port.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import Provider, { errors } from 'oidc-provider';

const [port, controlPort] = process.argv.slice(2, 4).map(Number);
const clients = JSON.parse(process.env.OIDC_PROVIDER_CLIENTS ?? '[]');
const users = ['cl-taro', 'cl-hanako', 'cl-jiro'];
const resource = 'urn:example:api';

/** The authentication request that waits for each user's decision. */
const waiting = new Map();

const { privateKey } = await generateKeyPair('RS256', { extractable: true });

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients,
  jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig' }] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  claims: { openid: ['sub'], email: ['email'] },
  findAccount: (_ctx, accountId) =>
    users.includes(accountId)
      ? { accountId, claims: () => ({ sub: accountId, email: `${accountId}@example.org` }) }
      : undefined,
  features: {
    ciba: {
      enabled: true,
      processLoginHint: (_ctx, hint) => (users.includes(hint) ? hint : undefined),
      verifyUserCode: () => {},
      validateRequestContext: () => {},
      triggerAuthenticationDevice: (_ctx, request, account) => {
        waiting.set(account.accountId, request);
      },
    },
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      // Only a token for this resource is a JWT.
      getResourceServerInfo(_ctx, indicator) {
        if (indicator !== resource) throw new errors.InvalidTarget();
        return { scope: 'read', audience: resource, accessTokenFormat: 'jwt' };
      },
    },
  },
});

/** Tells oidc-provider what the user decided. */
async function decide(request, decision) {
  if (decision === 'deny') {
    await provider.backchannelResult(request, new errors.AccessDenied('the user said no'));
    return;
  }
  const { accountId, clientId, scope } = request;
  const grant = new provider.Grant({ accountId, clientId });
  grant.addOIDCScope(scope);
  await grant.save();
  await provider.backchannelResult(request, grant);
}

async function control(url) {
  const { pathname, searchParams } = new URL(url ?? '/', 'http://control');
  const user = searchParams.get('user');
  const request = waiting.get(user);
  if (!['/approve', '/deny'].includes(pathname) || request === undefined) return 404;
  waiting.delete(user);
  await decide(request, pathname.slice(1));
  return 204;
}

createServer(async (request, response) => {
  const status = await control(request.url).catch((error) => {
    process.stderr.write(`${error.stack}\n`);
    return 500;
  });
  response.writeHead(status).end();
}).listen(controlPort, '127.0.0.1', () => provider.listen(port, '127.0.0.1'));
