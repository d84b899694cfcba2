import { createHash } from 'node:crypto';
import type { Reply } from './listener.ts';

const STYLE = [
  'body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto;padding:0 1.5rem;color:#222}',
  'h1{font-size:1.4rem}@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}}',
].join('');

/** Sends the fragment, which browsers do not send, as a form, and removes it from the address bar. */
const RELAY = [
  'const sent=new URLSearchParams(location.hash.slice(1));',
  'history.replaceState(null,"",location.pathname);',
  'const form=document.forms[0];form.action=location.pathname;',
  'for(const [name,value] of sent){const field=document.createElement("input");',
  'field.type="hidden";field.name=name;field.value=value;form.append(field)}',
  'if([...sent].length!==0)form.submit();',
  'else document.querySelector("h1").textContent="Nothing came with this address.";',
].join('');

/** A page for the user: a heading and some sentences, which may contain text of another party. */
export function page(status: number, heading: string, ...sentences: string[]): Reply {
  const text = sentences.map((sentence) => `<p>${escaped(sentence)}</p>`).join('');
  return html(status, `<h1>${escaped(heading)}</h1>${text}`, []);
}

/** The page that forwards the fragment. */
export function relayPage(): Reply {
  const body = [
    '<h1>One moment…</h1><form method="post"></form>',
    '<noscript><p>This page needs JavaScript, to hand on what stands behind the # of its address.</p></noscript>',
    `<script>${RELAY}</script>`,
  ].join('');
  return html(200, body, [`script-src '${hashScript(RELAY)}'`, "form-action 'self'"]);
}

function html(status: number, body: string, allowed: readonly string[]): Reply {
  const policy = [
    "default-src 'none'",
    `style-src '${hashScript(STYLE)}'`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
    ...(allowed.length > 0 ? allowed : ["form-action 'none'"]),
  ];
  return {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy.join('; '),
      // The URL contains the code.
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    },
    body:
      '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>oauthctl</title>' +
      `<meta name="viewport" content="width=device-width"><style>${STYLE}</style></head><body>${body}</body></html>\n`,
  };
}

function hashScript(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
