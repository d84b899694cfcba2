import { describe, expect, it } from 'vitest';
import { Reporter } from '../../src/output/reporter.ts';
import { colours } from '../../src/output/style.ts';

const plain = await colours({}, false);

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
