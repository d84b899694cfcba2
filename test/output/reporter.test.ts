import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { Reporter } from '../../src/output/reporter.ts';
import { colours } from '../../src/output/style.ts';
import { loadCellWidths } from '../../src/output/wrap.ts';

const plain = await colours({}, false);
await loadCellWidths();

function reporter({ quiet = false, paint = plain } = {}) {
  let text = '';
  const made = new Reporter({
    write: (more) => {
      text += more;
    },
    env: {},
    paint,
    isTerminal: false,
    quiet,
    terminal: () => {
      throw new Error('there is no terminal');
    },
  });
  return { reporter: made, text: () => text };
}

/** A terminal that cannot move its cursor: lines are wrapped, and nothing is drawn. */
function dumbTerminal(columns: number, env: Record<string, string> = { TERM: 'dumb' }) {
  let text = '';
  const made = new Reporter({
    write: (more) => {
      text += more;
    },
    env,
    paint: plain,
    isTerminal: true,
    quiet: false,
    terminal: () => ({ columns }) as NodeJS.WriteStream,
  });
  return { reporter: made, lines: () => text.trimEnd().split('\n') };
}

const STEP = {
  mark: '②',
  parties: 'server → client',
  status: 200,
  text: 'auth_req_id eyJh…(masked) · expires in 10 min · poll every 5 s',
  ms: 143,
  details: ['scope=openid  login_hint=cl-taro  binding_message=test-0001  acr_values=urn:example:gold'],
};

const PENDING = {
  mark: '⑤⑥',
  parties: 'client → server',
  status: 400,
  text: 'authorization_pending',
  ms: 31,
  isCounted: true,
};

describe('the reporter on a terminal', () => {
  it.each([60, 70, 80, 100, 132])('of %i columns wraps at words, with a hanging indent', (columns) => {
    const { reporter: told, lines } = dumbTerminal(columns);
    told.step(STEP);
    told.note(`a note that ${'says something '.repeat(12)}at length`);
    told.warning(`a warning that ${'says something '.repeat(12)}at length`);
    for (const line of lines()) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
    const text = lines()
      .map((line) => line.trim())
      .join(' ');
    for (const word of `${STEP.text} ${STEP.details[0]}`.split(/ +/)) expect(text).toContain(word);
    const [first = '', ...rest] = lines();
    expect(first.startsWith(' ②  server → client   200  auth_req_id')).toBe(true);
    const below = rest.slice(
      0,
      rest.findIndex((line) => line.includes('a note')),
    );
    expect(below.length).toBeGreaterThan(0);
    for (const line of below) expect(line.startsWith(' '.repeat(22))).toBe(true);
  });

  it.each([60, 80, 120])('of %i columns puts the time at the right edge', (columns) => {
    const { reporter: told, lines } = dumbTerminal(columns);
    told.step({ ...STEP, details: [] });
    const timed = lines().filter((line) => line.includes('143 ms'));
    expect(timed).toHaveLength(1);
    expect(stringWidth(timed[0] ?? '')).toBe(columns);
  });

  it('counts the cells of wide characters', () => {
    const { reporter: told, lines } = dumbTerminal(80);
    told.step({ ...STEP, text: '確認番号は一二三四です', details: ['表示メッセージ '.repeat(12)] });
    expect(lines().length).toBeGreaterThan(2);
    for (const line of lines()) expect(stringWidth(line)).toBeLessThanOrEqual(80);
    expect(stringWidth(lines()[0] ?? '')).toBe(80);
  });

  it('leaves a long word whole, so that an address can be copied', () => {
    const url = `https://as.example/${'a'.repeat(90)}`;
    const { reporter: told, lines } = dumbTerminal(80);
    told.note(`open ${url} now`);
    expect(lines().map((line) => line.trim())).toContain(url);
  });
});

describe('a step that comes again and again', () => {
  it('is one line that counts, where a live line shows that something goes on', async () => {
    const { reporter: told, lines } = dumbTerminal(80, {});
    for (let times = 0; times < 3; times += 1) told.step(PENDING);
    expect(lines()).toEqual(['']);
    told.step({ mark: '⑨⑩', parties: 'client → server', status: 200, text: 'tokens' });
    expect(lines()[0]).toMatch(/^ ⑤⑥ client → server {3}400 {2}authorization_pending ×3 +31 ms$/);
    expect(lines()).toHaveLength(2);
  });

  it('is told at once elsewhere, and then counted', () => {
    const { reporter: told, text } = reporter();
    for (let times = 0; times < 4; times += 1) told.step(PENDING);
    expect(text().split('\n')).toHaveLength(2);
    told.settle();
    expect(text()).toMatch(/authorization_pending +31 ms\n.*authorization_pending · 3 more +31 ms\n$/);
  });

  it('is told before whatever comes next', () => {
    const { reporter: told, text } = reporter();
    told.step(PENDING);
    told.step(PENDING);
    told.warning('slower');
    expect(text()).toMatch(/1 more +31 ms\nwarning: slower\n$/);
  });

  it('that came once is one plain line', () => {
    const { reporter: told, text } = reporter();
    told.step(PENDING);
    told.settle();
    expect(text().match(/authorization_pending/g)).toHaveLength(1);
    expect(text()).not.toMatch(/more|×/);
  });
});

describe('the reporter', () => {
  it('writes a step with its mark, its parties, its status, its time and what belongs below', () => {
    const { reporter: told, text } = reporter();
    told.step({
      mark: '②',
      parties: 'server → client',
      status: 200,
      text: 'here',
      ms: 143,
      details: ['more'],
    });
    told.step({ mark: '④', parties: 'device → server', status: 201, text: '' });
    const [step, detail, next] = text().split('\n');
    expect(step).toMatch(/^ ② {2}server → client {3}200 {2}here +143 ms$/);
    expect(detail?.trim()).toBe('more');
    expect(next).toBe(' ④  device → server   201');
  });

  it('is silent when told to be quiet, but for warnings', () => {
    const { reporter: told, text } = reporter({ quiet: true });
    told.header('header');
    told.note('note');
    told.step({ mark: '①', parties: 'a → b', text: 'step' });
    told.warning('beware');
    expect(text()).toBe('warning: beware\n');
  });

  it('draws no live line where there is no terminal', async () => {
    const { reporter: told, text } = reporter({ paint: await colours({ FORCE_COLOR: '1' }, false) });
    told.live('waiting');
    told.settle();
    expect(text()).toBe('');
  });

  it('holds its lines back while a question is open, and keeps their order', async () => {
    const { reporter: told, text } = reporter();
    const answer = await told.undisturbed(async () => {
      told.note('first');
      told.warning('second');
      expect(text()).toBe('');
      return 'yes';
    });
    expect(answer).toBe('yes');
    expect(text()).toBe('    first\nwarning: second\n');
  });

  it('writes what it held when the question fails', async () => {
    const { reporter: told, text } = reporter();
    const question = told.undisturbed(async () => {
      told.note('held');
      throw new Error('gone');
    });
    await expect(question).rejects.toThrow('gone');
    expect(text()).toBe('    held\n');
  });

  it('colours where it is told to', async () => {
    const { reporter: told, text } = reporter({ paint: await colours({ FORCE_COLOR: '1' }, false) });
    told.warning('beware');
    expect(text()).toBe('\u001b[33mwarning:\u001b[39m beware\n');
  });
});
