import { printable } from '../output/printable.ts';
import type { Session } from './session.ts';

/** Shows an address that somebody has to open, and opens it where there is a person to see that. */
export function createAddressOpener({ ctx, reporter }: Session, mayBrowse: boolean): (url: string) => void {
  return (url) => {
    ctx.io.show(`\n    Open ${reporter.paint.bold(printable(url))}\n\n`);
    if (!mayBrowse || !ctx.io.stderrIsTerminal) return;
    ctx
      .browse(new URL(url).href)
      .then(() => reporter.note('it is opened in your browser'))
      .catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        reporter.note(`no browser could be opened: ${printable(why)}`);
      });
  };
}
