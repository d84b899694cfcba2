import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** A regular expression in the source. */
export interface SourcePattern {
  /** `path:line` below `src`. */
  readonly where: string;
  /** As it is written, with slashes and flags. */
  readonly literal: string;
  readonly source: string;
  readonly flags: string;
}

export interface SourcePatterns {
  readonly literals: readonly SourcePattern[];
  /** Files, below `src`, that build a regular expression from parts. */
  readonly built: readonly string[];
  /** Files, below `src`, that call JSON.parse. */
  readonly jsonParse: readonly string[];
}

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));

/** Reads every regular expression of the program from its syntax trees. */
export function readPatterns(): SourcePatterns {
  const literals: SourcePattern[] = [];
  const built = new Set<string>();
  const jsonParse = new Set<string>();
  const paths = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.ts'),
  );
  for (const path of paths) {
    const file = ts.createSourceFile(
      path,
      readFileSync(`${SRC}${path}`, 'utf8'),
      ts.ScriptTarget.Latest,
      true,
    );
    const visit = (node: ts.Node): void => {
      if (ts.isRegularExpressionLiteral(node)) literals.push(readLiteral(node, file));
      if (ts.isIdentifier(node) && node.text === 'RegExp' && ts.isNewExpression(node.parent)) built.add(path);
      if (ts.isPropertyAccessExpression(node) && node.getText() === 'JSON.parse') jsonParse.add(path);
      ts.forEachChild(node, visit);
    };
    visit(file);
  }
  return { literals, built: [...built], jsonParse: [...jsonParse] };
}

function readLiteral(node: ts.RegularExpressionLiteral, file: ts.SourceFile): SourcePattern {
  const { line } = file.getLineAndCharacterOfPosition(node.getStart());
  const end = node.text.lastIndexOf('/');
  return {
    where: `${file.fileName}:${line + 1}`,
    literal: node.text,
    source: node.text.slice(1, end),
    flags: node.text.slice(end + 1),
  };
}

/** Says whether a pattern can match texts of any length: only then can its time grow with more than the length. */
export function hasUnboundedRepetition({ source }: Pick<SourcePattern, 'source'>): boolean {
  const withoutClasses = source.replace(/\\./g, 'x').replace(/\[[^\]]*\]/g, 'x');
  return /[*+]|\{\d+,\}|\{\d+,\d{2,}\}/.test(withoutClasses);
}
