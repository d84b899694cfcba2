import { printable } from '../output/printable.ts';
import type { Session } from './session.ts';

/** Shows a URL that a person has to open, and opens it in a browser if the session is interactive. */
export function createAddressOpener({ ctx, reporter }: Session, mayBrowse: boolean): (url: string) => void {
  return (url) => {
    ctx.io.show(`\n    Open ${reporter.paint.bold(printable(url))}\n\n`);
    if (!mayBrowse || !ctx.io.stderrIsTerminal) return;
    ctx
      .browse(new URL(url).href)
      .then(() => reporter.note('opening it in your browser'))
      .catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        reporter.note(`the browser could not be opened: ${printable(why)}`);
      });
  };
}
