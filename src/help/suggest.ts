import type { Command } from 'commander';
import { pathTo } from './describe.ts';
import { TOPICS } from './topics.ts';

/** A word with more mistakes is not similar. */
const MOST_MISTAKES = 3;

/**
 * Finds the commands that the user may have meant.
 * @param program with every command loaded
 * @param words given in the place of a command, such as `decode` or `ciba strat`
 * @returns the names of the most similar ones, without that of the program; empty if none is similar
 */
export function suggestCommands(program: Command, words: readonly string[]): readonly string[] {
  const text = words.join(' ');
  const paths = listCommands(program).map((command) => pathTo(command).split(' ').slice(1).join(' '));
  const exact = paths.filter((path) => path.endsWith(` ${text}`));
  return exact.length > 0 ? exact : findSimilar(text, paths);
}

/** As suggestCommands, with the topics of the help. */
export function suggestTopics(program: Command, words: readonly string[]): readonly string[] {
  const names = TOPICS.map(({ name }) => name);
  const commands = suggestCommands(program, words);
  const topics = findSimilar(words.join(' '), names);
  return topics.length > 0 ? topics : commands;
}

function listCommands(command: Command): readonly Command[] {
  return command.commands.flatMap((one) => [one, ...listCommands(one)]);
}

/** Finds the most similar candidates; a candidate of several words is also compared by its last word. */
function findSimilar(text: string, candidates: readonly string[]): readonly string[] {
  const rated = candidates.map((candidate) => {
    const last = candidate.split(' ').at(-1) ?? candidate;
    const distance = Math.min(countMistakes(text, candidate), countMistakes(text, last));
    const length = Math.max(text.length, last.length);
    return { candidate, distance, isSimilar: (length - distance) / length > 0.4 };
  });
  const similar = rated.filter(({ distance, isSimilar }) => isSimilar && distance <= MOST_MISTAKES);
  const least = Math.min(...similar.map(({ distance }) => distance));
  return similar.filter(({ distance }) => distance === least).map(({ candidate }) => candidate);
}

/** Counts the letters that were added, omitted, changed, or swapped with the next one (optimal string alignment). */
function countMistakes(one: string, other: string): number {
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= one.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const isSame = one[i - 1] === other[j - 1];
      const at = (line: number, column: number) => rows[line]?.[column] ?? Number.POSITIVE_INFINITY;
      const isSwapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      row[j] = Math.min(
        at(i - 1, j) + 1,
        (row[j - 1] ?? 0) + 1,
        at(i - 1, j - 1) + (isSame ? 0 : 1),
        isSwapped ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    rows[i] = row;
  }
  return rows[one.length]?.[other.length] ?? 0;
}
