import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const DEFINITIONS = './src/protocol/definitions';

const IMPORTS = `
import type { Secrecy } from '${DEFINITIONS}/answers.ts';
import type { GrantDefinition } from '${DEFINITIONS}/grants/index.ts';
import type { ParameterDefinitions } from '${DEFINITIONS}/parameter.ts';
import type { FormRequest } from './src/flows/server/target.ts';
import type { TokenOptions } from './src/flows/token/token.ts';
import { buildParameters, type DeclaredParameters } from './src/protocol/oauth/form.ts';
import { buildTokenRequest } from './src/protocol/oauth/token.ts';
import type { ClientAuthentication } from './src/protocol/oauth/client-authentication.ts';
declare const values: { token: string; pin: string };
declare const target: TokenOptions['target'];
const parameters = buildParameters('introspection', { token: 'a' });
`;

const GRANT = `name: 'voucher', command: 'token voucher', grantType: 'urn:example:voucher', summary: '', specification: '', examples: []`;

/** Statements that must not compile, each beside the one that it differs from. */
const PAIRS: readonly (readonly [what: string, wrong: string, right: string])[] = [
  [
    'a parameter of a grant without a class',
    `({ ${GRANT}, parameters: { pin: {} } }) satisfies GrantDefinition`,
    `({ ${GRANT}, parameters: { pin: { is: 'secret' } } }) satisfies GrantDefinition`,
  ],
  [
    'a parameter of a request of an unknown class',
    `({ pin: { is: 'private' } }) satisfies ParameterDefinitions`,
    `({ pin: { is: 'plain' } }) satisfies ParameterDefinitions`,
  ],
  [
    'a member of an answer that is not said to be secret or plain',
    `({ pin: undefined }) satisfies Record<string, Secrecy>`,
    `({ pin: 'plain' }) satisfies Record<string, Secrecy>`,
  ],
  [
    'an undeclared parameter of a request',
    `buildParameters('introspection', { token: 'a', pin: 'b' })`,
    `buildParameters('introspection', { token: 'a' })`,
  ],
  [
    'an undeclared parameter in a variable',
    `buildParameters('introspection', values)`,
    `buildParameters('introspection', { token: values.token })`,
  ],
  [
    'parameters whose names are not known',
    `buildParameters('introspection', values as unknown as Record<string, string>)`,
    `buildParameters('introspection', values as unknown as Record<'token', string>)`,
  ],
  [
    'an undeclared parameter of a grant',
    `buildTokenRequest('password', { username: 'a', pin: 'b' })`,
    `buildTokenRequest('password', { username: 'a', password: 'b' })`,
  ],
  [
    'a parameter of another grant',
    `({ target, grantType: 'password', values: { assertion: 'a' } }) satisfies TokenOptions<'password'>`,
    `({ target, grantType: 'password', values: { password: 'a' } }) satisfies TokenOptions<'password'>`,
  ],
  [
    'a grant that is not defined',
    `buildTokenRequest('urn:example:voucher', {})`,
    `buildTokenRequest('client_credentials', {})`,
  ],
  [
    'a form that was not built of declared parameters',
    `({ url: '', endpoint: 'token', parameters: [['pin', 'a']] }) satisfies FormRequest`,
    `({ url: '', endpoint: 'token', parameters }) satisfies FormRequest`,
  ],
  [
    'a form to which a parameter was added',
    `([...parameters, ['pin', 'a']] as const) satisfies DeclaredParameters`,
    `parameters satisfies DeclaredParameters`,
  ],
  [
    'a header of the client authentication that is not declared',
    `({ 'x-pin': 'a' }) satisfies ClientAuthentication['headers']`,
    `({ authorization: 'a' }) satisfies ClientAuthentication['headers']`,
  ],
];

/** The statements, one a line, with the messages of the compiler for each line. */
function compile(statements: readonly string[]): string[][] {
  const file = `${ROOT}declared-parameters.fixture.ts`;
  const source = `${IMPORTS}\n${statements.map((statement) => `void (${statement});`).join('\n')}\n`;
  const first = IMPORTS.split('\n').length;
  const { config } = ts.readConfigFile(`${ROOT}tsconfig.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const host = ts.createCompilerHost(options);
  const program = ts.createProgram([file], options, {
    ...host,
    fileExists: (path) => path === file || host.fileExists(path),
    readFile: (path) => (path === file ? source : host.readFile(path)),
    getSourceFile: (path, version) =>
      path === file ? ts.createSourceFile(path, source, version) : host.getSourceFile(path, version),
  });
  const main = program.getSourceFile(file);
  if (main === undefined) throw new Error('the fixture was not compiled');
  const messages: string[][] = statements.map(() => []);
  for (const { start = 0, messageText } of [
    ...program.getSyntacticDiagnostics(main),
    ...program.getSemanticDiagnostics(main),
  ]) {
    const line = main.getLineAndCharacterOfPosition(start).line - first;
    const text = ts.flattenDiagnosticMessageText(messageText, ' ');
    if (messages[line] === undefined) throw new Error(`the imports of the fixture do not compile: ${text}`);
    messages[line].push(text);
  }
  return messages;
}

describe('what does not compile', () => {
  it('is every parameter that is undeclared or has no class, and nothing else', () => {
    const messages = compile(PAIRS.flatMap(([, wrong, right]) => [wrong, right]));
    const found = PAIRS.map(([what], index) => ({
      what,
      wrong: messages[2 * index]?.length !== 0,
      right: messages[2 * index + 1],
    }));
    expect(found).toEqual(PAIRS.map(([what]) => ({ what, wrong: true, right: [] })));
  });
});
