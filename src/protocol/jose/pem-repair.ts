import type { Repaired } from './jwt-repair.ts';

/** `-----BEGIN` in base64, as Kubernetes and CI systems store secrets. */
const ENCODED = /^\s*LS0tLS1CRUdJTi[A-Za-z0-9+/=\s]*$/;
const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----/gs;

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
  const lined = pem.replace(BLOCK, (block, label: string, body: string) => {
    // A header such as "Proc-Type: …" has a meaning of its own.
    const isOnOneLine = !body.includes(':') && (/\S[ \t]+\S/.test(body) || !/^\s*\n/.test(body));
    if (!isOnOneLine) return block;
    const lines = body.replace(/\s+/g, '').match(/.{1,64}/g) ?? [];
    return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`].join('\n');
  });
  if (lined !== pem) repairs.push('it had no line ends');
  return { text: lined, repairs };
}
