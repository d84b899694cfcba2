/** Collects warnings about repaired or ignored input, and passes each text on once. */
export class Warnings {
  readonly #listeners: ((text: string) => void)[] = [];
  readonly #shown = new Set<string>();

  readonly warn = (text: string): void => {
    if (this.#shown.has(text)) return;
    this.#shown.add(text);
    for (const listener of this.#listeners) listener(text);
  };

  readonly onWarning = (listener: (text: string) => void): void => {
    this.#listeners.push(listener);
  };
}
