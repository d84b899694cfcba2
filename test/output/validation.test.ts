import { describe, expect, it } from 'vitest';
import { colours } from '../../src/output/style.ts';
import {
  renderFindings,
  renderVerdicts,
  renderWatch,
  type ShownEvent,
  spanInWords,
} from '../../src/output/validation.ts';

const paint = await colours({}, false);
const event = (at: number, way: ShownEvent['way'], verdict: ShownEvent['verdict']) => ({ at, way, verdict });

describe('a comparison for people', () => {
  it('stands in columns, whatever the others wrote', () => {
    const rows = [
      { name: 'aud', local: 'x\ny', introspection: 'a'.repeat(100) },
      { name: 'user', local: '', introspection: 'taro' },
    ];
    expect(renderVerdicts({ local: 'unknown', introspection: 'refused' }, rows, paint).split('\n')).toEqual([
      '               local check  introspection',
      'verdict        ? unknown    ✗ refuses',
      `aud            x\\x0ay       ${'a'.repeat(43)}…`,
      'user                        taro',
      '',
    ]);
  });

  it('names cause and remedy, and nothing where there is no finding', () => {
    expect(renderFindings('why', [], paint)).toBe('');
    expect(renderFindings('why', [{ cause: 'a\u001b', remedy: 'b' }], paint)).toBe(
      'why\n  cause  a\\x1b\n  remedy b\n',
    );
  });
});

describe('a watch for people', () => {
  const watch = {
    startedAt: 0,
    endedAt: 10_000,
    ended: 'the token expired',
    events: [
      event(0, 'local', 'accepted'),
      event(20, 'introspection', 'accepted'),
      event(2_100, 'introspection', 'unknown'),
      event(4_100, 'introspection', 'refused'),
      event(9_900, 'local', 'refused'),
    ],
    window: { from: 4_100, until: 9_900, isOver: true },
    expiresAt: 9_900,
    introspections: 11,
    failures: 2,
  };

  it('is two rows of blocks, each change, and the window', () => {
    expect(renderWatch(watch, paint)).toBe(
      [
        `local check    ${'█'.repeat(49)}░`,
        `introspection  ${'█'.repeat(10)}${'?'.repeat(10)}${'░'.repeat(30)}`,
        `               0 s${'10.0 s'.padStart(47)}  █ accepts  ░ refuses  ? unknown`,
        '       +2.1 s  introspection  ? unknown',
        '       +4.1 s  introspection  ✗ refuses',
        '       +9.9 s  local check    ✗ refuses',
        'the token expired after 10.0 s; 11 introspections, 2 without a verdict',
        'introspection refused it 4.1 s after the beginning; the local check went on accepting it for 5.8 s: that is the window',
        '',
      ].join('\n'),
    );
  });

  it('is drawn also when it lasted no time', () => {
    const none = { ...watch, endedAt: 0, events: watch.events.slice(0, 2), window: undefined };
    expect(renderWatch(none, paint)).toMatch(/^local check {4}█{50}\nintrospection {2}█{50}\n/);
  });
});

it.each([
  [-5, '0.0 s'],
  [949, '0.9 s'],
  [59_900, '59.9 s'],
  [252_000, '4 min 12 s'],
])('%d ms are %s', (ms, words) => {
  expect(spanInWords(ms)).toBe(words);
});
