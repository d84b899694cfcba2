import { VALIDATIONS } from '../../protocol/oauth/bearer.ts';
import { ADDRESS_PATTERN, ALLOWED_VALUE, ISSUER_PATTERN } from './issuer-template.ts';
import { MOST_TENANTS } from './tenants-file.ts';

/** The JSON Schema of a list of tenants; the parser, which sees more, refuses whatever this refuses. */
export const TENANTS_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Tenants of oauthctl serve',
  type: 'object',
  required: ['tenants'],
  additionalProperties: false,
  properties: {
    $schema: { type: 'string' },
    tenants: {
      type: 'array',
      maxItems: MOST_TENANTS,
      description: 'No issuer may be there twice.',
      items: {
        type: 'object',
        required: ['issuer'],
        additionalProperties: false,
        oneOf: [
          { required: ['audience'], properties: { any_audience: { const: false } } },
          { required: ['any_audience'], properties: { any_audience: { const: true }, audience: false } },
        ],
        allOf: [
          {
            if: { required: ['validation'], properties: { validation: { const: 'introspection' } } },
            // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
            then: { required: ['client_id', 'client_secret'] },
          },
          {
            if: { properties: { issuer: { pattern: '\\{' } } },
            // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
            then: { required: ['allowed_values'] },
            else: {
              properties: {
                allowed_values: false,
                jwks_uri: { pattern: '^[^{]*$' },
                access_token_issuer: { pattern: '^[^{]*$' },
              },
            },
          },
        ],
        properties: {
          issuer: {
            type: 'string',
            pattern: ISSUER_PATTERN,
            description:
              'To the character, as its tokens and its metadata have it; or a template with one placeholder, such as ' +
              'https://as.example/{tenant}/v2.0.',
          },
          allowed_values: {
            type: 'array',
            minItems: 1,
            maxItems: MOST_TENANTS,
            items: { type: 'string', pattern: ALLOWED_VALUE },
            description: 'What the placeholder of the issuer may be.',
          },
          jwks_uri: {
            type: 'string',
            pattern: ADDRESS_PATTERN,
            description:
              'Where the keys are, in place of what the metadata says; may have the placeholder of the issuer.',
          },
          access_token_issuer: {
            type: 'string',
            pattern: ISSUER_PATTERN,
            description:
              'What "iss" of its access tokens is, where that is not the issuer; may have the placeholder of the issuer.',
          },
          audience: {
            description: 'What "aud" of a token must name; of several, one.',
            oneOf: [
              { type: 'string', minLength: 1 },
              { type: 'array', minItems: 1, items: { type: 'string', minLength: 1 } },
            ],
          },
          any_audience: { type: 'boolean', description: 'True takes tokens for any audience.' },
          validation: {
            enum: [...VALIDATIONS],
            default: 'local',
            description:
              'Whether a token is checked by the keys of its issuer, or by asking the issuer each time.',
          },
          client_id: { type: 'string', minLength: 1, description: 'Whose credentials introspection takes.' },
          client_secret: {
            type: 'string',
            minLength: 1,
            not: { const: '-' },
            description: 'env:NAME, file:PATH or cmd:COMMAND; or the secret itself.',
          },
          scopes: {
            type: 'array',
            items: { type: 'string', pattern: '^[\\x21\\x23-\\x5b\\x5d-\\x7e]+$' },
            description: 'Every one of these a token must have.',
          },
          claims: {
            type: 'object',
            additionalProperties: { type: ['string', 'number', 'boolean'] },
            description: 'Values that claims must have, or, if they are lists, hold.',
          },
        },
      },
    },
  },
} as const;
