import type { ExpectStatic } from 'vitest';
import type { Block, Document } from './markdown.ts';
import type { Output, Shell } from './shell.ts';

/** What the commands of a block need: the built-in sandbox, Keycloak 26, or a Kafka broker with its Keycloak. */
export const KINDS = ['sandbox', 'keycloak', 'kafka'] as const;

export type Kind = (typeof KINDS)[number];

/** What the comment before a block of commands says. */
export type Marker =
  | { readonly run: false; readonly reason: string }
  | {
      readonly run: true;
      readonly kind: Kind;
      /** The command stays running until the end of the page; it is ready when it has written this. */
      readonly until: string | undefined;
      /** The block waits until a command that stays running has written this. */
      readonly after: string | undefined;
      /** With a store that has no profile yet; such blocks of a page share one. */
      readonly emptyHome: boolean;
      /** A person opens the address that the command prints, and signs in. */
      readonly person: boolean;
    };

/**
 * Reads the marker of a block of commands: `run: KIND[, until "TEXT"][, after "TEXT"][, empty home]
 * [, a person signs in]`, or
 * `not run: REASON`.
 * @throws Error where there is none, or it is another
 */
export function readMarker({ marker = '', line }: Block, path: string): Marker {
  const [, reason] = /^not run: (.{10,})$/.exec(marker) ?? [];
  if (reason !== undefined) return { run: false, reason };
  const [, kind, until, after, emptyHome, person] =
    /^run: (\w+)(?:, until "([^"]+)")?(?:, after "([^"]+)")?(, empty home)?(, a person signs in)?$/.exec(
      marker,
    ) ?? [];
  const known = KINDS.find((name) => name === kind);
  if (known === undefined)
    throw new Error(`${path}:${line}: a block of commands needs a marker such as <!-- run: sandbox -->`);
  return {
    run: true,
    kind: known,
    until,
    after,
    emptyHome: emptyHome !== undefined,
    person: person !== undefined,
  };
}

/** Finds the blocks of a page that are commands. */
export function findCommandBlocks({ blocks }: Document): Block[] {
  return blocks.filter(({ language }) => ['sh', 'bash', 'shell', 'console'].includes(language));
}

/** Says whether a page has commands of a kind. */
export function hasKind(document: Document, kind: Kind): boolean {
  return findCommandBlocks(document).some((block) => {
    const marker = readMarker(block, document.path);
    return marker.run && marker.kind === kind;
  });
}

export interface PageOptions {
  readonly shell: Shell;
  /** That of the test: of several tests that run at once each counts its own assertions. */
  readonly expect: ExpectStatic;
  /** Opens the address that a command printed and signs in there. */
  readonly signIn?: (stderr: string) => Promise<void>;
}

/**
 * Runs the blocks of one kind in the order of the page. A block of output, marked `<!-- output -->`, is compared with
 * what the block before it wrote.
 */
export async function runPage(
  document: Document,
  kind: Kind,
  { shell, expect, signIn }: PageOptions,
): Promise<void> {
  let last: Output | undefined;
  let runs = 0;
  for (const block of document.blocks) {
    if (block.marker === 'output') {
      if (last !== undefined)
        expect(simplifyOutput(`${last.stdout}\n${last.stderr}`), `${document.path}:${block.line}`).toEqual(
          expect.arrayContaining(simplifyOutput(shell.replace(block.text))),
        );
      continue;
    }
    if (!findCommandBlocks(document).includes(block)) continue;
    last = undefined;
    const marker = readMarker(block, document.path);
    if (!marker.run || marker.kind !== kind) continue;
    runs += 1;
    const home = marker.emptyHome ? 'empty-home' : 'home';
    try {
      if (marker.after !== undefined) await shell.waitFor(marker.after);
      if (marker.until !== undefined) last = (await shell.start(block.text, marker.until, { home })).output();
      else
        last = await (marker.person
          ? runWithPerson(shell, block, home, signIn)
          : shell.run(block.text, { home }));
    } catch (error) {
      throw new Error(`${document.path}:${block.line}: ${String(error)}`);
    }
  }
  expect(runs, `blocks of ${document.path} that were run`).toBeGreaterThan(0);
}

async function runWithPerson(
  shell: Shell,
  block: Block,
  home: string,
  signIn: ((stderr: string) => Promise<void>) | undefined,
): Promise<Output> {
  if (signIn === undefined) throw new Error('nobody signs in here');
  let failure: unknown;
  let signedIn: Promise<void> | undefined;
  const output = await shell
    .run(block.text, {
      home,
      onStderr: (stderr) => {
        // An empty line ends the invitation.
        if (!/\bOpen https?:[\s\S]*?\n\n/.test(stderr)) return;
        signedIn ??= signIn(stderr).catch((error) => {
          failure = error;
        });
      },
    })
    .catch((error) => {
      throw failure ?? error;
    });
  await signedIn;
  if (failure !== undefined) throw failure;
  return output;
}

/**
 * Reduces output to what is the same in every run: times, ports, offsets and identifiers become placeholders, and as an
 * acknowledgement and the device's answer may change places, only the lines themselves are compared.
 */
export function simplifyOutput(text: string): string[] {
  const lines = text.split('\n').map((line) =>
    line
      .replace(/\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b/g, 'UUID')
      .replace(/(127\.0\.0\.1|localhost):\d+/g, '$1:PORT')
      .replace(/\b\d+ min( \d+ s)?\b|\b[\d.]+ (ms|s)\b/g, 'TIME')
      .replace(/\boffset \d+/, 'offset N')
      .replace(/\s+/g, ' ')
      .trim(),
  );
  return [...new Set(lines)].filter((line) => line !== '');
}
