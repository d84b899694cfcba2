import { Agent, fetch } from 'undici';

/** A page that a person sees, or where a browser ended up. */
export interface Page {
  readonly url: string;
  readonly status: number;
  readonly html: string;
}

const MOST_REDIRECTS = 20;

/**
 * A person in front of a browser, played over HTTP: keeps cookies, follows redirects, fills forms in. It runs no
 * scripts; Keycloak's login pages need none.
 */
export class Person {
  readonly #cookies = new Map<string, string>();
  readonly #dispatcher: Agent | undefined;

  /** @param ca an authority, in PEM, that this browser trusts */
  constructor(ca?: string) {
    this.#dispatcher = ca === undefined ? undefined : new Agent({ connect: { ca } });
  }

  /** Opens an address. */
  open(url: string): Promise<Page> {
    return this.#go(url, { method: 'GET' });
  }

  /**
   * Submits the one form of a page, its hidden fields included.
   * @param fields what the person enters; a button counts as a field
   */
  async submit(page: Page, fields: Readonly<Record<string, string>>): Promise<Page> {
    const action = /<form\b[^>]*\baction="([^"]*)"/i.exec(page.html)?.[1];
    if (action === undefined) throw new Error(`There is no form on ${describe(page)}`);
    const body = new URLSearchParams();
    for (const [input] of page.html.matchAll(/<input\b[^>]*\btype="hidden"[^>]*>/gi)) {
      const name = attribute(input, 'name');
      if (name !== undefined) body.set(name, attribute(input, 'value') ?? '');
    }
    for (const [name, value] of Object.entries(fields)) {
      if (!page.html.includes(`name="${name}"`)) throw new Error(`There is no ${name} on ${describe(page)}`);
      body.set(name, value);
    }
    return this.#go(new URL(unescaped(action), page.url).href, { method: 'POST', body });
  }

  async #go(url: string, init: { method: string; body?: URLSearchParams }): Promise<Page> {
    let next: { url: string; method: string; body?: URLSearchParams } = { url, ...init };
    for (let redirects = 0; redirects < MOST_REDIRECTS; redirects += 1) {
      const answer = await fetch(next.url, {
        method: next.method,
        redirect: 'manual',
        // Keycloak chooses by it between the page for people and the endpoint for clients.
        headers: { accept: 'text/html', cookie: [...this.#cookies].map((pair) => pair.join('=')).join('; ') },
        signal: AbortSignal.timeout(120_000),
        ...(this.#dispatcher && { dispatcher: this.#dispatcher }),
        ...(next.body && { body: next.body }),
      });
      this.#keep(answer.headers.getSetCookie());
      const location = answer.headers.get('location');
      const html = await answer.text();
      if (location === null) return { url: next.url, status: answer.status, html };
      next = { url: new URL(location, next.url).href, method: 'GET' };
    }
    throw new Error(`${url} redirects without end`);
  }

  /** One host and one realm: paths and domains need no care. */
  #keep(cookies: readonly string[]): void {
    for (const cookie of cookies) {
      const [pair = '', ...attributes] = cookie.split(';');
      const [name = '', ...value] = pair.split('=');
      const isGone = attributes.some((one) => /^\s*max-age=0\s*$/i.test(one));
      if (isGone) this.#cookies.delete(name);
      else this.#cookies.set(name, value.join('='));
    }
  }
}

function attribute(tag: string, name: string): string | undefined {
  const value = new RegExp(`\\b${name}="([^"]*)"`, 'i').exec(tag)?.[1];
  return value === undefined ? undefined : unescaped(value);
}

function unescaped(text: string): string {
  return text.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&');
}

/** The title and the text of a page, cut short. */
function describe({ url, status, html }: Page): string {
  const text = html
    .replace(/<(script|style)\b.*?<\/\1>/gis, ' ')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ');
  return `${url} (${status}): ${text.trim().slice(0, 500)}`;
}
