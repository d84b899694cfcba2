// Makes X.509 certificates for tests with nothing but Node, so that none has to be stored or can expire.
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

/** Plain data, so that it can travel to another process. */
export interface Authority extends Certificate {
  readonly name: string;
}

export interface CertificateOptions {
  /** DNS names and IPv4 addresses; default 127.0.0.1 and localhost. */
  readonly names?: readonly string[];
  /** Seconds from now; default a day ago and a day ahead. */
  readonly from?: number;
  readonly until?: number;
  /** Who signs; default itself. */
  readonly authority?: Authority;
}

const DAY = 86_400;

/** Makes a certificate for a server or a client. */
export function makeCertificate(name: string, options: CertificateOptions = {}): Certificate {
  const { names = ['127.0.0.1', 'localhost'], from = -DAY, until = DAY, authority } = options;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const alternatives = names.map((one) =>
    /^[\d.]+$/.test(one) ? der(0x87, Buffer.from(one.split('.').map(Number))) : der(0x82, Buffer.from(one)),
  );
  const extensions = [extension('551d11', sequence(...alternatives))];
  const issuer = authority?.name ?? name;
  const signer = authority ? createPrivateKey(authority.key) : privateKey;
  return pems(certificate({ name, issuer, publicKey, signer, from, until, extensions }), privateKey);
}

/** Makes a certificate authority. */
export function makeAuthority(name: string): Authority {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // basicConstraints, critical: cA TRUE
  const extensions = [extension('551d13', sequence(der(0x01, Buffer.of(0xff))), true)];
  const body = certificate({
    name,
    issuer: name,
    publicKey,
    signer: privateKey,
    from: -DAY,
    until: DAY,
    extensions,
  });
  return { ...pems(body, privateKey), name };
}

interface Content {
  readonly name: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  readonly signer: KeyObject;
  readonly from: number;
  readonly until: number;
  readonly extensions: readonly Buffer[];
}

function certificate({ name, issuer, publicKey, signer, from, until, extensions }: Content): Buffer {
  const ecdsaWithSha256 = sequence(objectIdentifier('2a8648ce3d040302'));
  const signed = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    ecdsaWithSha256,
    commonName(issuer),
    sequence(utcTime(from), utcTime(until)),
    commonName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  );
  return sequence(signed, ecdsaWithSha256, der(0x03, Buffer.of(0), sign('sha256', signed, signer)));
}

function pems(body: Buffer, privateKey: KeyObject): Certificate {
  const lines = body.toString('base64').replace(/.{64}/g, '$&\n');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, ...parts);
}

function objectIdentifier(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

function commonName(name: string): Buffer {
  return sequence(der(0x31, sequence(objectIdentifier('550403'), der(0x0c, Buffer.from(name)))));
}

function utcTime(secondsFromNow: number): Buffer {
  const iso = new Date(Date.now() + secondsFromNow * 1000).toISOString();
  return der(0x17, Buffer.from(`${iso.slice(2, 19).replace(/[-:T]/g, '')}Z`));
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(objectIdentifier(id), ...(critical ? [der(0x01, Buffer.of(0xff))] : []), der(0x04, value));
}
