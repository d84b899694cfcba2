import type { Sandbox } from '../../src/sandbox/index.ts';

/** What a browser shows; `html` is empty where it was sent away from the sandbox, to `url`. */
export interface Page {
  readonly url: string;
  readonly status: number;
  readonly html: string;
  readonly headers: Headers;
}

/** A person with a browser that runs no scripts, and stops where the sandbox sends it to a client. */
export class Person {
  readonly #sandbox: Sandbox;
  readonly #cookies = new Map<string, string>();

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
  }

  /** Opens an address, and follows the sandbox's redirects to itself. */
  open(url: string): Promise<Page> {
    return this.#go(url, { method: 'GET' });
  }

  /** Submits the one form of a page; `fields` has what the person enters and the button. */
  submit(page: Page, fields: Readonly<Record<string, string>> = {}): Promise<Page> {
    const [, action, inner] = /<form method="post" action="([^"]*)">(.*?)<\/form>/s.exec(page.html) ?? [];
    if (action === undefined || inner === undefined) throw new Error(`There is no form: ${page.html}`);
    const body = new URLSearchParams(readFormValues(inner));
    for (const [name, value] of Object.entries(fields)) {
      if (!inner.includes(`name="${name}"`)) throw new Error(`There is no ${name}: ${inner}`);
      body.set(name, value);
    }
    return this.#go(new URL(unescaped(action), page.url).href, { method: 'POST', body });
  }

  /** Signs in on the page at hand and accepts. */
  signIn(page: Page, username = this.#sandbox.users[0] ?? ''): Promise<Page> {
    const password = this.#sandbox.passwords[username] ?? '';
    return this.submit(page, { username, password, accept: 'yes' });
  }

  async #go(address: string, init: { method: string; body?: URLSearchParams }): Promise<Page> {
    const cookie = [...this.#cookies].map((pair) => pair.join('=')).join('; ');
    const headers = { accept: 'text/html', cookie };
    const response = await fetch(address, { ...init, headers, redirect: 'manual' });
    this.#keep(response.headers.getSetCookie());
    const html = await response.text();
    const location = response.headers.get('location');
    if (location === null) return { url: address, status: response.status, html, headers: response.headers };
    const url = new URL(location, address).href;
    if (url.startsWith(this.#sandbox.issuer)) return this.#go(url, { method: 'GET' });
    return { url, status: response.status, html: '', headers: response.headers };
  }

  #keep(cookies: readonly string[]): void {
    for (const cookie of cookies) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value === '') this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
  }
}

/** The values of a form's fields by their names, as they came. */
export function readFormValues(html: string): Record<string, string> {
  const inputs = [...html.matchAll(/<input\b[^>]*>/g)].map(([input]) => [
    /\bname="([^"]*)"/.exec(input)?.[1] ?? '',
    unescaped(/\bvalue="([^"]*)"/.exec(input)?.[1] ?? ''),
  ]);
  return Object.fromEntries(inputs);
}

function unescaped(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
