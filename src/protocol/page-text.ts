/** A line of the text of an HTML page. */
export interface PageLine {
  readonly text: string;
  /** Marks of the elements around it: ids as `#id`, classes as `.class`, roles as `role=name`. */
  readonly marks: readonly string[];
}

/** Characters of a page that are read. */
const LONGEST_PAGE = 128 * 1024;

/** Characters of a tag; a `<` whose tag is longer is text. */
const LONGEST_TAG = 2048;

/** Levels of nested elements. */
const DEEPEST = 100;

/** Elements whose content is not shown, or is no text. */
const HIDDEN = new Set([
  'script',
  'style',
  'template',
  'noscript',
  'svg',
  'textarea',
  'select',
  'title',
  'iframe',
]);

/** Elements within a line. */
const INLINE = new Set(
  'a abbr b bdi bdo cite code em font i kbd mark q s samp small span strong sub sup tt u var wbr'.split(' '),
);

/** Elements without content. */
const VOID = new Set('area base br col embed hr img input link meta param source track wbr'.split(' '));

interface Tag {
  readonly name: string;
  readonly isEnd: boolean;
  readonly attributes: string;
  /** Where the text after it starts. */
  readonly end: number;
}

interface OpenElement {
  readonly name: string;
  readonly marks: readonly string[];
}

/**
 * Reads the visible text of an HTML page by lines, in time proportional to its length. It is not an HTML parser: it is
 * made to find the message of an error page.
 * @param html the page, of which 128 KiB are read
 */
export function readPageLines(html: string): readonly PageLine[] {
  return new PageReader(html.slice(0, LONGEST_PAGE)).read();
}

class PageReader {
  readonly #html: string;
  readonly #lowerCase: string;
  readonly #lines: PageLine[] = [];
  #open: OpenElement[] = [];
  #text = '';
  #marks: readonly string[] = [];

  constructor(html: string) {
    this.#html = html;
    this.#lowerCase = html.toLowerCase();
  }

  read(): readonly PageLine[] {
    let at = 0;
    while (at < this.#html.length) {
      const next = this.#html.indexOf('<', at);
      this.#addText(this.#html.slice(at, next < 0 ? undefined : next));
      if (next < 0) break;
      at = this.#readMarkup(next);
    }
    this.#endLine();
    return this.#lines;
  }

  /** @returns where the next text starts */
  #readMarkup(at: number): number {
    if (this.#html.startsWith('<!--', at)) return this.#skipTo('-->', at + 4);
    if (/[!?]/.test(this.#html[at + 1] ?? '')) return this.#skipTo('>', at);
    const tag = readTag(this.#html, at);
    if (tag === undefined) {
      this.#addText('<');
      return at + 1;
    }
    if (!INLINE.has(tag.name)) this.#endLine();
    if (tag.isEnd) this.#close(tag.name);
    else if (HIDDEN.has(tag.name)) return this.#skipTo(`</${tag.name}`, tag.end);
    else if (!VOID.has(tag.name) && this.#open.length < DEEPEST)
      this.#open.push({ name: tag.name, marks: readMarks(tag.attributes) });
    return tag.end;
  }

  #skipTo(text: string, from: number): number {
    const found = this.#lowerCase.indexOf(text, from);
    return found < 0 ? this.#html.length : found + (text.startsWith('</') ? 0 : text.length);
  }

  #close(name: string): void {
    const index = this.#open.findLastIndex((one) => one.name === name);
    if (index >= 0) this.#open = this.#open.slice(0, index);
  }

  #addText(text: string): void {
    if (text.trim() !== '' && this.#text.trim() === '')
      this.#marks = this.#open.flatMap(({ marks }) => marks);
    this.#text += text;
  }

  #endLine(): void {
    const text = decodeEntities(this.#text).replace(/\s+/g, ' ').trim();
    this.#text = '';
    if (text !== '') this.#lines.push({ text, marks: this.#marks });
  }
}

const NAME = /<(\/?)([a-z][a-z0-9:-]{0,40})/iy;

function readTag(html: string, at: number): Tag | undefined {
  NAME.lastIndex = at;
  const [start = '', slash, name = ''] = NAME.exec(html) ?? [];
  if (start === '') return undefined;
  const from = at + start.length;
  const last = Math.min(html.length, at + LONGEST_TAG);
  let quote: string | undefined;
  for (let index = from; index < last; index += 1) {
    const character = html[index] as string;
    if (quote !== undefined) {
      if (character === quote) quote = undefined;
    } else if (character === '"' || character === "'") {
      quote = character;
    } else if (character === '>') {
      const attributes = html.slice(from, index);
      return { name: name.toLowerCase(), isEnd: slash === '/', attributes, end: index + 1 };
    }
  }
  return undefined;
}

/** At most 2 KiB long. */
const ATTRIBUTE = /\b(id|class|role)=(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/gi;
const PREFIXES: Readonly<Record<string, string>> = { id: '#', class: '.', role: 'role=' };

function readMarks(attributes: string): readonly string[] {
  return [...attributes.matchAll(ATTRIBUTE)].flatMap(([, name = '', double, single, bare]) =>
    (double ?? single ?? bare ?? '')
      .split(/\s+/)
      .filter(Boolean)
      .map((value) => `${PREFIXES[name.toLowerCase()]}${value}`),
  );
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  laquo: '«',
  raquo: '»',
  lsquo: '‘',
  rsquo: '’',
  ldquo: '“',
  rdquo: '”',
  ndash: '–',
  mdash: '—',
  hellip: '…',
  middot: '·',
};

function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,8}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
