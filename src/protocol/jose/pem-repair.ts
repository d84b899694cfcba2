import type { Repaired } from './jwt-repair.ts';

/** `-----BEGIN` in base64, as Kubernetes and CI systems store secrets. */
const ENCODED = /^\s*LS0tLS1CRUdJTi[A-Za-z0-9+/=\s]*$/;
const BEGIN = /-----BEGIN ([A-Z0-9 ]{1,64})-----/g;

/**
 * Repairs what environment variables, JSON and YAML do to PEM: line ends that are written as `\n`, or replaced by spaces,
 * quotes around it, and base64 over all of it. Other texts are left as they are.
 * @see https://www.rfc-editor.org/rfc/rfc7468#section-3
 */
export function repairPem(text: string): Repaired {
  const repairs: string[] = [];
  let pem = text;
  if (ENCODED.test(pem)) {
    pem = Buffer.from(pem, 'base64').toString('utf8');
    repairs.push('it was encoded in base64 a second time');
  }
  // In JSON, escapes are part of the JSON.
  if (!pem.includes('-----BEGIN ') || /^\s*[[{]/.test(pem)) return { text, repairs: [] };
  if (/\\[rn]/.test(pem)) {
    pem = pem.replace(/\\r\\n|\\n|\\r/g, '\n').replace(/^\s*["']|["']\s*$/g, '');
    repairs.push('its line ends were written as "\\n"');
  }
  const lined = breakLines(pem);
  if (lined !== pem) repairs.push('it had no line ends');
  return { text: lined, repairs };
}

/** Gives each block of a PEM text that has no line ends its lines. */
function breakLines(pem: string): string {
  let lined = '';
  let from = 0;
  let end = 0;
  for (const { 0: header, 1: label = '', index } of pem.matchAll(BEGIN)) {
    if (index < from) continue;
    const start = index + header.length;
    // Found once for all blocks before it, so that the time grows with the length alone.
    if (end < start) end = pem.indexOf('-----END ', start);
    if (end < 0) break;
    const footer = `-----END ${label}-----`;
    if (!pem.startsWith(footer, end)) continue;
    const body = pem.slice(start, end);
    // A header such as "Proc-Type: …" has a meaning of its own.
    const isOnOneLine = !body.includes(':') && (/\S[ \t]+\S/.test(body) || !/^\s*\n/.test(body));
    if (isOnOneLine) {
      const lines = body.replace(/\s+/g, '').match(/.{1,64}/g) ?? [];
      lined += pem.slice(from, index) + [header, ...lines, footer].join('\n');
    } else {
      lined += pem.slice(from, end + footer.length);
    }
    from = end + footer.length;
  }
  return lined + pem.slice(from);
}
