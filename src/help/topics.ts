import { EXIT_CODE_MEANINGS, ExitCode } from '../errors.ts';
import { findDefinition, SETTING_NAMES } from '../settings.ts';
import { renderRows, wrapHelpText } from './wrap.ts';

/** A page of help that is not about a single command. */
export interface Topic {
  readonly name: string;
  readonly summary: string;
  /** @param width the longest line */
  render(width: number): string;
}

/** The environment variables that are not settings. */
export const OTHER_VARIABLES: readonly (readonly [name: string, meaning: string])[] = [
  ['OAUTHCTL_HOME', 'the folder of profiles and kept tokens (default: that of the platform)'],
  ['HTTP_PROXY, HTTPS_PROXY', 'the proxies for http and https, if --proxy is not given'],
  ['NO_PROXY', 'hosts that are reached without a proxy'],
  ['NO_COLOR, FORCE_COLOR', 'turn colours off or on'],
  ['CI', 'if set, no colours, spinner or countdown'],
  ['BROWSER', 'the command that opens a URL'],
];

/** The forms of a reference to a secret. */
export const SECRET_REFERENCES: readonly (readonly [form: string, meaning: string])[] = [
  ['env:NAME', 'an environment variable'],
  ['file:PATH', 'a file; one line break at its end is removed'],
  ['cmd:COMMAND', 'the output of a command, such as "cmd:pass show client"'],
  ['-', 'standard input'],
  ['anything else', 'the secret itself, with a warning: other users of the machine can read it'],
];

/** The further forms of a reference to a token. */
export const TOKEN_REFERENCES: readonly (readonly [form: string, meaning: string])[] = [
  ['@FILE', 'a file'],
  ['@last.access_token', 'the kept access token of the profile'],
  ['@last.refresh_token', 'its refresh token'],
  ['@last.id_token', 'its ID token'],
];

export const TOPICS: readonly Topic[] = [
  {
    name: 'exit-codes',
    summary: 'what each exit code means',
    render: (width) =>
      renderPage(
        width,
        'The exit code of a command says how it ended. With --json a failure is one line of JSON at the end of stderr, ' +
          'whose member "exit_code" is the same number.',
        Object.entries(ExitCode).map(([name, code]) => [
          String(code),
          EXIT_CODE_MEANINGS[name as keyof typeof ExitCode],
        ]),
      ),
  },
  {
    name: 'environment',
    summary: 'environment variables, and their options',
    render: (width) =>
      renderPage(
        width,
        'A value is looked up in this order: option, environment variable, profile, default. -v shows where each ' +
          'value came from.',
        [
          ...SETTING_NAMES.map((name) => {
            const { env, flag, profileFlag, description } = findDefinition(name);
            const flags = profileFlag === undefined ? flag : `${flag}, ${profileFlag}`;
            return [env, `${flags}: ${description}`] as const;
          }),
          ...OTHER_VARIABLES,
        ],
      ),
  },
  {
    name: 'references',
    summary: 'how to refer to secrets, tokens and files: env:NAME, @FILE, @last.access_token, -',
    render: (width) =>
      [
        renderPage(
          width,
          'An option for a secret accepts these forms. A profile keeps the reference, which is resolved at each use.',
          SECRET_REFERENCES,
        ),
        renderPage(width, 'An option or argument for a token also accepts these.', TOKEN_REFERENCES),
        `${wrapHelpText('Only one option or argument of a run can read standard input.', width).join('\n')}\n`,
      ].join('\n'),
  },
];

/** Finds a topic by its name. */
export function findTopic(name: string | undefined): Topic | undefined {
  return TOPICS.find((topic) => topic.name === name);
}

function renderPage(
  width: number,
  introduction: string,
  rows: readonly (readonly [string, string])[],
): string {
  return `${[...wrapHelpText(introduction, width), '', ...renderRows(rows, width, 34)].join('\n')}\n`;
}
