/** An octet of an IPv4 address in decimal. */
const OCTET = '(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)';

const LOOPBACK_HOST = new RegExp(`^(?:localhost|127(?:\\.${OCTET}){3}|::1|\\[::1\\])$`, 'i');

/**
 * Says whether a host is the loopback interface of this machine: `localhost`, an address of 127.0.0.0/8 with four octets,
 * or `::1`. Other names, `NAME.localhost` included, are not: a resolver may give them another address.
 * @param host without a port, as in a URL (`[::1]`) or bare (`::1`)
 * @see https://www.rfc-editor.org/rfc/rfc8252#section-7.3
 */
export function isLoopbackHost(host: string): boolean {
  return LOOPBACK_HOST.test(host);
}
