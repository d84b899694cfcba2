/** Makes cryptographically random bytes. */
export type Random = (bytes: number) => Uint8Array;

const JTI_BYTES = 16;
const STATE_BYTES = 24;

/** Makes random bytes, in base64url. */
export function makeRandomText(random: Random, bytes: number): string {
  return Buffer.from(random(bytes)).toString('base64url');
}

/** Makes a unique `jti`. @see https://www.rfc-editor.org/rfc/rfc7519#section-4.1.7 */
export function makeJti(random: Random): string {
  return makeRandomText(random, JTI_BYTES);
}

/** Makes a `state` or a `nonce`. @see https://www.rfc-editor.org/rfc/rfc6749#section-10.12 */
export function makeState(random: Random): string {
  return makeRandomText(random, STATE_BYTES);
}
