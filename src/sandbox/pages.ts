import { createHash } from 'node:crypto';
import type { Context } from 'oidc-provider/lib/provider.js';

const STYLE = `
:root { color-scheme: light dark; --text: #222; --page: #fff; --quiet: #666; --error: #a00 }
@media (prefers-color-scheme: dark) { :root { --text: #ddd; --page: #181818; --quiet: #aaa; --error: #f99 } }
body { max-width: 34rem; margin: 3rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif }
body { color: var(--text); background: var(--page) }
h1 { font-size: 1.4rem }
dt { color: var(--quiet); font-size: .85rem }
dd { margin: 0 0 .6rem; overflow-wrap: anywhere }
pre { margin: 0; white-space: pre-wrap }
label { display: block; margin: .8rem 0 .2rem }
input { font: inherit; padding: .4rem; width: 100%; box-sizing: border-box }
button { font: inherit; margin: 1.2rem .6rem 0 0; padding: .4rem 1rem }
.error { color: var(--error) }
footer { margin-top: 2rem; color: var(--quiet); font-size: .85rem }
`;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** Text that stands in HTML for nothing but itself. */
export interface Html {
  readonly html: string;
}

export interface PageOptions {
  readonly title: string;
  readonly body: Html;
  /** Where the browser may be sent on to after a form, beside the sandbox: a CSP source. */
  readonly formAction?: string | undefined;
}

/** Builds HTML from a template; every value that is not itself HTML is escaped, and undefined leaves nothing. */
export function html(strings: TemplateStringsArray, ...values: readonly unknown[]): Html {
  const parts = strings.map((text, index) => text + (index < values.length ? render(values[index]) : ''));
  return { html: parts.join('') };
}

function render(value: unknown): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.map(render).join('');
  if (typeof value === 'object' && value !== null && 'html' in value) return String(value.html);
  return String(value)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** A list of names and values; those without a value are left out. */
export function details(entries: Readonly<Record<string, unknown>>): Html {
  const shown = Object.entries(entries).filter(([, value]) => value !== undefined && value !== '');
  return html`<dl>${shown.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>\n`)}</dl>`;
}

/** Answers with a page that runs no scripts, loads nothing and cannot be framed. The status is left as it is. */
export function sendPage(ctx: Context, { title, body, formAction }: PageOptions): void {
  const page = html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${{ html: STYLE }}</style>
</head>
<body>
<h1>${title}</h1>
${body}
<footer>This is the sandbox of oauthctl: a server for experiments, on this machine, without real people.</footer>
</body>
</html>
`;
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${STYLE_HASH}'`,
    `form-action 'self'${formAction === undefined ? '' : ` ${formAction}`}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ];
  ctx.set('content-security-policy', policy.join('; '));
  ctx.set('cache-control', 'no-store');
  ctx.set('referrer-policy', 'no-referrer');
  ctx.set('x-content-type-options', 'nosniff');
  ctx.type = 'html';
  ctx.body = page.html;
}

/** Says on a page why a request that a browser brought is refused. */
export function sendRefusal(ctx: Context, refusal: { error?: string; error_description?: string }): void {
  sendPage(ctx, {
    title: 'The sandbox refuses this request',
    body: html`${details({ error: refusal.error, description: refusal.error_description })}
<p>The client has not been told.</p>`,
  });
}
