/** The grant type of a JWT authorization grant. @see https://www.rfc-editor.org/rfc/rfc7523#section-2.1 */
export const JWT_BEARER_GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
