import * as oauth from 'oauth4webapi';
import type { Sandbox } from '../../src/sandbox/index.ts';
import { Person } from './person.ts';

export const insecure = { [oauth.allowInsecureRequests]: true };

/** Any port and any path will do. */
export const REDIRECT_URI = 'http://127.0.0.1:49152/some/path';

export type Parameters = Readonly<Record<string, string | undefined>>;

/** A client of the sandbox, played by oauth4webapi. */
export class RelyingParty {
  readonly sandbox: Sandbox;
  readonly server: oauth.AuthorizationServer;
  readonly client: oauth.Client;
  readonly authenticate: oauth.ClientAuth;
  readonly person: Person;
  readonly verifier = oauth.generateRandomCodeVerifier();
  readonly state = oauth.generateRandomState();
  readonly nonce = oauth.generateRandomNonce();

  constructor(
    sandbox: Sandbox,
    server: oauth.AuthorizationServer,
    client: oauth.Client,
    authenticate: oauth.ClientAuth,
  ) {
    this.sandbox = sandbox;
    this.server = server;
    this.client = client;
    this.authenticate = authenticate;
    this.person = new Person(sandbox);
  }

  /** The parameters of an authorization request; those set to undefined are left out. */
  async parameters(changes: Parameters = {}): Promise<URLSearchParams> {
    const all: Parameters = {
      client_id: this.client.client_id,
      redirect_uri: REDIRECT_URI,
      response_type: 'code',
      scope: 'openid profile',
      state: this.state,
      nonce: this.nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(this.verifier),
      code_challenge_method: 'S256',
      ...changes,
    };
    const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return new URLSearchParams(given);
  }

  async authorizationUrl(changes: Parameters = {}): Promise<string> {
    return `${this.server.authorization_endpoint}?${await this.parameters(changes)}`;
  }

  /** Lets the person open the address of a request. */
  async open(changes: Parameters = {}) {
    return this.person.open(await this.authorizationUrl(changes));
  }

  /** Lets the person sign in, and says where they are sent. */
  async authorize(changes: Parameters = {}): Promise<URL> {
    return new URL((await this.person.signIn(await this.open(changes))).url);
  }

  /** Redeems the code of a redirect. */
  async redeem(redirect: URL, options: oauth.TokenEndpointRequestOptions = {}): Promise<Response> {
    const parameters = oauth.validateAuthResponse(this.server, this.client, redirect, this.state);
    return this.redeemCode(parameters, this.verifier, options);
  }

  redeemCode(
    parameters: URLSearchParams,
    verifier: string,
    options: oauth.TokenEndpointRequestOptions = {},
  ): Promise<Response> {
    const { server, client, authenticate } = this;
    return oauth.authorizationCodeGrantRequest(
      server,
      client,
      authenticate,
      parameters,
      REDIRECT_URI,
      verifier,
      { ...insecure, ...options },
    );
  }

  processCode(response: Response): Promise<oauth.TokenEndpointResponse> {
    return oauth.processAuthorizationCodeResponse(this.server, this.client, response, {
      expectedNonce: this.nonce,
    });
  }

  /** A whole authorization code flow. */
  async tokens(changes: Parameters = {}): Promise<oauth.TokenEndpointResponse> {
    return this.processCode(await this.redeem(await this.authorize(changes)));
  }

  async grant(grantType: string, parameters: Record<string, string>, options = {}): Promise<Response> {
    const { server, client, authenticate } = this;
    return oauth.genericTokenEndpointRequest(server, client, authenticate, grantType, parameters, {
      ...insecure,
      ...options,
    });
  }

  async introspect(token: string): Promise<oauth.IntrospectionResponse> {
    const { server, client, authenticate } = this;
    const response = await oauth.introspectionRequest(server, client, authenticate, token, insecure);
    return oauth.processIntrospectionResponse(server, client, response);
  }

  userinfo(token: string, options: oauth.UserInfoRequestOptions = {}): Promise<Response> {
    return oauth.userInfoRequest(this.server, this.client, token, { ...insecure, ...options });
  }
}

/** One of the sandbox's clients, with its secret unless told to authenticate otherwise. */
export async function relyingParty(
  sandbox: Sandbox,
  clientId: string = sandbox.clientId,
  authenticate: oauth.ClientAuth = oauth.ClientSecretBasic(sandbox.clientSecret),
): Promise<RelyingParty> {
  const issuer = new URL(sandbox.issuer);
  const response = await oauth.discoveryRequest(issuer, insecure);
  const server = await oauth.processDiscoveryResponse(issuer, response);
  return new RelyingParty(sandbox, server, { client_id: clientId }, authenticate);
}

/** The error of an answer. */
export async function readError(response: Response): Promise<Record<string, unknown>> {
  const body = (await response.json()) as Record<string, unknown>;
  return { status: response.status, error: body.error, error_description: body.error_description };
}
