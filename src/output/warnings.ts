/** Collects warnings about repaired or ignored input, and passes each text on once. */
export class Warnings {
  readonly #listeners: ((text: string) => void)[] = [];
  readonly #told = new Set<string>();

  readonly warn = (text: string): void => {
    if (this.#told.has(text)) return;
    this.#told.add(text);
    for (const listener of this.#listeners) listener(text);
  };

  readonly onWarning = (listener: (text: string) => void): void => {
    this.#listeners.push(listener);
  };
}
