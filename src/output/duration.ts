/** Says a length of time in words: `9 min 51 s`, `2 h`, `3 days 4 h`; the two largest units. */
export function inWords(seconds: number): string {
  const units = [
    ['day', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ] as const;
  let left = Math.max(0, Math.round(seconds));
  const parts: string[] = [];
  for (const [name, size] of units) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count} ${name}${name === 'day' && count > 1 ? 's' : ''}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(' ') || '0 s';
}
