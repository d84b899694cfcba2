import { describe, expect, it } from 'vitest';
import { readErrorPage } from '../../../src/protocol/oauth/error-page.ts';

/** Keycloak 26, without its style sheets. */
const KEYCLOAK_26 = (message: string) => `<!DOCTYPE html>
<html class="login-pf" lang="en" dir="ltr">
<head><title>Sign in to SampleRealm</title>
<script type="module">if (link.getAttribute("aria-disabled") === "true") { error: "not this" }</script>
</head>
<body id="keycloak-bg" class="" data-page-id="login-error">
<div class="pf-v5-c-login__container">
    <header id="kc-header" class="pf-v5-c-login__header"><div id="kc-header-wrapper">SampleRealm</div></header>
    <main class="pf-v5-c-login__main">
        <h1 class="pf-v5-c-title pf-m-3xl" id="kc-page-title">        We are sorry...
</h1>
        <div id="kc-error-message">
            <p class="instruction">${message}</p>
            <p><a id="backToApplication" href="https://app.example/">&laquo; Back to Application</a></p>
        </div>
    </main>
</div>
</body>
</html>`;

/** A theme without Keycloak's class. */
const KEYCLOAK_THEME =
  '<body><h1>Oh no</h1><div id=kc-error-message>Client not found.</div><footer>Example Ltd</footer>';

const OIDC_PROVIDER = `<!DOCTYPE html>
    <html>
    <head>
      <title>oops! something went wrong</title>
      <style>@import url(https://fonts.googleapis.com/css?family=Roboto:400,100);h1{font-weight:100}</style>
    </head>
    <body>
      <div class="container">
        <h1>oops! something went wrong</h1>
        <pre><strong>error</strong>: invalid_redirect_uri</pre><pre><strong>error_description</strong>: redirect_uri did not match any of the client&#39;s registered redirect_uris</pre><pre><strong>iss</strong>: http://127.0.0.1:28142</pre>
      </div>
    </body>
    </html>`;

const SPRING_WHITELABEL =
  '<html><body><h1>Whitelabel Error Page</h1><p>This application has no explicit mapping for /error, so you are seeing ' +
  "this as a fallback.</p><div id='created'>Wed Nov 25 16:58:52 UTC 2026</div><div>There was an unexpected error " +
  '(type=Bad Request, status=400).</div><div>[invalid_request] OAuth 2.0 Parameter: redirect_uri</div></body></html>';

const TOMCAT =
  '<!doctype html><html lang="en"><head><title>HTTP Status 400 – Bad Request</title><style>body {color:black}</style>' +
  '</head><body><h1>HTTP Status 400 – Bad Request</h1><hr class="line" /><p><b>Message</b> [invalid_scope] OAuth 2.0 ' +
  'Parameter: scope</p></body></html>';

const DUENDE = `<html><body><nav>Sign in</nav><div class="error-page"><div class="lead"><h1>Error</h1></div>
<div class="row"><div class="col-sm-6"><div class="alert alert-danger">
 Sorry, there was an error <strong> <em> : unauthorized_client </em> </strong><div>Unknown client or client not enabled</div>
</div></div></div></div></body></html>`;

/** The page of the built-in sandbox. */
const SANDBOX =
  '<body><h1>The sandbox refuses this request</h1><dl><dt>error</dt><dd>invalid_client</dd>\n<dt>description</dt>' +
  '<dd>client is invalid</dd>\n</dl><p>The client has not been told.</p></body>';

describe('the refusal on an error page', () => {
  it.each([
    [
      'Keycloak',
      KEYCLOAK_26('Invalid parameter: redirect_uri'),
      'bad_request',
      'Invalid parameter: redirect_uri',
    ],
    ['Keycloak, escaped', KEYCLOAK_26('&lt;b&gt; &amp; &#x27;c&#39;'), 'bad_request', "<b> & 'c'"],
    ['a theme of Keycloak', KEYCLOAK_THEME, 'bad_request', 'Client not found.'],
    [
      'oidc-provider',
      OIDC_PROVIDER,
      'invalid_redirect_uri',
      "redirect_uri did not match any of the client's registered redirect_uris",
    ],
    ['Spring', SPRING_WHITELABEL, 'invalid_request', 'OAuth 2.0 Parameter: redirect_uri'],
    ['Tomcat', TOMCAT, 'invalid_scope', 'OAuth 2.0 Parameter: scope'],
    [
      'Duende IdentityServer',
      DUENDE,
      'unauthorized_client',
      'Sorry, there was an error : unauthorized_client Unknown client or client not enabled',
    ],
    ['the sandbox', SANDBOX, 'invalid_client', 'client is invalid'],
    [
      'any program',
      '<h1>Forbidden</h1><p>Ask the <b>service</b> desk',
      'bad_request',
      'Forbidden Ask the service desk',
    ],
    ['a title alone', '<title>Error</title>', 'bad_request', undefined],
    ['nothing', '', 'bad_request', undefined],
  ])('of %s is read', (_product, html, error, error_description) => {
    expect(readErrorPage(html, 400)).toEqual({ error, error_description });
  });

  it('has the reason phrase of the status where the page names no error', () => {
    expect(readErrorPage('<p>no</p>', 404)).toEqual({ error: 'not_found', error_description: 'no' });
  });

  it('has no more than 300 characters of the page', () => {
    const { error_description = '' } = readErrorPage(`<p>${'word '.repeat(10_000)}</p>`, 400);
    expect(error_description).toHaveLength(301);
    expect(error_description.endsWith('…')).toBe(true);
  });

  it('is read whatever is unfinished, and never from what is not shown', () => {
    for (const end of [
      '<!-- ',
      '<script>',
      '<style>',
      '<a href="',
      '<',
      '</',
      "<p class='",
      '&#',
      '<!doctype',
    ]) {
      expect(readErrorPage(`<p>before</p>${end} hidden`, 400).error_description).toMatch(/^before/);
    }
    expect(readErrorPage('<p>a</p><script>b</script><!-- c --><style>d</style><p>e', 400)).toMatchObject({
      error_description: 'a e',
    });
  });

  // Quadratic reading would take minutes here; no clock is needed, since the test would time out.
  it.each([
    '<a "',
    '<',
    '<!--',
    '</',
    '<div>',
    '<script',
    '[a_',
    '&#1',
    'error:',
    '<div class="error">x',
    '"',
  ])('is read in bounded time where %s is repeated', (part) => {
    const result = readErrorPage(part.repeat(1_000_000 / part.length), 400);
    expect(result.error).toMatch(/^[\w.:-]+$/);
  });
});
