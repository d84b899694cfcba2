import { describe, expect, it } from 'vitest';
import { answerInTurn } from '../../src/workers/batch.ts';
import { buildJwks, keyFor, sign } from '../protocol/server-jwts.ts';

describe('the batches of one thread', () => {
  it('are answered in the order in which they came, a short one after the long one before it', async () => {
    const token = await sign({ exp: 4_000_000_000 });
    const answers: string[] = [];
    const setup = { expected: { keys: await buildJwks(keyFor('ES256')) }, asJson: false };
    const take = answerInTurn(setup, ({ text }) => answers.push(text));
    const long = `${token}\n`.repeat(50).trimEnd();
    await Promise.all([
      take({ text: long, firstLine: 1, now: 0 }),
      take({ text: 'garbage', firstLine: 51, now: 0 }),
    ]);
    const lines = answers.join('').trimEnd().split('\n');
    expect(lines.map((line) => line.split('  ')[0])).toEqual([
      ...Array.from({ length: 50 }, (_, index) => `✓ ${index + 1}`),
      '✗ 51',
    ]);
  });
});
