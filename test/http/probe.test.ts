import { it } from 'vitest';
import { createHttpClient } from '../../src/http/client.ts';
import { makeAuthority, makeCertificate } from './certificates.ts';
import * as s from './servers.ts';

it('probe', async () => {
  const ca = makeAuthority('Test CA');
  const t0 = Date.now(); const run = async (label: string, url: string, o: any = {}, req: any = {}) => {
    try { const c = await createHttpClient(
      { connectTimeoutMs: 5000, timeoutMs: 1000, maxBodyBytes: 1000, ...o },
      { record() {} },
      Date.now,
    );
    try {
      const a = await c.send({ method: 'GET', url, endpoint: 'metadata', ...req });
      console.log(label, '->', a.status, JSON.stringify(a.headers), a.body.slice(0, 60));
    } catch (e: any) {
      console.log(
        label,
        '->',
        e.code,
        e.exitCode,
        e.message,
        '|',
        e.hint,
        '| cause',
        e.cause?.code,
        e.cause?.message,
        '|',
        e.cause?.cause?.code,
        e.maybeHandled,
      );
    }
  };
  const plain = await s.httpServer();
  await run('refused', `http://127.0.0.1:${await s.deadPort()}/`);
  await run('refused localhost', `http://localhost:${await s.deadPort()}/`);
  await run('refused v6', `http://[::1]:${await s.deadPort()}/`);
  await run('dns', 'http://nothing.invalid/');
  await run('dns long', `http://${'a'.repeat(64)}.invalid/`);
  const good = makeCertificate('127.0.0.1', { authority: ca });
  await run('self', `https://127.0.0.1:${await s.tlsServer(makeCertificate('x'))}/`);
  const g = await s.tlsServer(good);
  await run('unknown ca', `https://127.0.0.1:${g}/`);
  await run(
    'unknown ca chain',
    `https://127.0.0.1:${await s.tlsServer({ ...good, cert: good.cert + ca.cert })}/`,
  );
  await run('ok ca', `https://127.0.0.1:${g}/`, { ca: ca.cert });
  await run('insecure', `https://127.0.0.1:${g}/`, { insecure: true });
  await run(
    'name',
    `https://127.0.0.1:${await s.tlsServer(makeCertificate('x', { names: ['other.example'], authority: ca }))}/`,
    { ca: ca.cert },
  );
  await run(
    'expired',
    `https://127.0.0.1:${await s.tlsServer(makeCertificate('x', { from: -2000, until: -1000, authority: ca }))}/`,
    { ca: ca.cert },
  );
  await run(
    'early',
    `https://127.0.0.1:${await s.tlsServer(makeCertificate('x', { from: 1000, until: 2000, authority: ca }))}/`,
    { ca: ca.cert },
  );
  await run('tls->plain', `https://127.0.0.1:${plain}/`);
  await run('plain->tls', `http://127.0.0.1:${g}/`);
  const m = await s.tlsServer({ ...good, requestCert: true, rejectUnauthorized: true, ca: ca.cert });
  await run('mtls none', `https://127.0.0.1:${m}/`, { ca: ca.cert });
  const m2 = await s.tlsServer({
    ...good,
    requestCert: true,
    rejectUnauthorized: true,
    ca: ca.cert,
    maxVersion: 'TLSv1.2',
  });
  await run('mtls12 none', `https://127.0.0.1:${m2}/`, { ca: ca.cert });
  const cc = makeCertificate('client', { authority: ca });
  await run('mtls ok', `https://127.0.0.1:${m}/`, { ca: ca.cert, cert: cc.cert, key: cc.key });
  await run('mtls post none', `https://127.0.0.1:${m}/`, { ca: ca.cert }, { method: 'POST', body: 'a=b' });
  const foreign = makeCertificate('client');
  await run('mtls foreign', `https://127.0.0.1:${m}/`, { ca: ca.cert, cert: foreign.cert, key: foreign.key });
  await run('bad pem ca', `https://127.0.0.1:${g}/`, { ca: 'nonsense' });
  await run('bad pem cert', `https://127.0.0.1:${g}/`, { ca: ca.cert, cert: 'nonsense', key: 'x' });
  await run('cert, other key', `https://127.0.0.1:${g}/`, { ca: ca.cert, cert: cc.cert, key: foreign.key });
  await run('cert no key', `https://127.0.0.1:${m}/`, { ca: ca.cert, cert: cc.cert });
  await run(
    'reset',
    `http://127.0.0.1:${await s.tcpServer((x) => x.once('data', () => x.resetAndDestroy()))}/`,
  );
  await run('reset at once', `http://127.0.0.1:${await s.tcpServer((x) => x.resetAndDestroy())}/`);
  await run('close', `http://127.0.0.1:${await s.tcpServer((x) => x.once('data', () => x.end()))}/`);
  await run('tls close', `https://127.0.0.1:${await s.tcpServer((x) => x.once('data', () => x.end()))}/`);
  await run(
    'tls reset',
    `https://127.0.0.1:${await s.tcpServer((x) => x.once('data', () => x.resetAndDestroy()))}/`,
  );
  const part = (end: (x: any) => void) =>
    s.tcpServer((x) =>
      x.once('data', () => {
        x.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"a":');
        setTimeout(() => end(x), 20);
      }),
    );
  await run('mid close', `http://127.0.0.1:${await part((x) => x.end())}/`);
  await run('mid reset', `http://127.0.0.1:${await part((x) => x.resetAndDestroy())}/`);
  await run(
    'chunk close',
    `http://127.0.0.1:${await s.tcpServer((x) => x.once('data', () => x.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"a":\r\n')))}/`,
  );
  await run('hang', `http://127.0.0.1:${await s.tcpServer(() => {})}/`, { timeoutMs: 50 });
  await run('tls hang', `https://127.0.0.1:${await s.tcpServer(() => {})}/`, { timeoutMs: 50 });
  await run('tls connect', `https://127.0.0.1:${await s.tcpServer(() => {})}/`, {
    connectTimeoutMs: 50,
    timeoutMs: 5000,
  });
  await run(
    'mid hang',
    `http://127.0.0.1:${await s.tcpServer((x) => x.once('data', () => x.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"a":')))}/`,
    { timeoutMs: 50 },
  );
  await run('large', `http://127.0.0.1:${await s.httpServer((_q, r) => r.end('x'.repeat(5000)))}/`);
  await run(
    'large len',
    `http://127.0.0.1:${await s.httpServer((_q, r) => {
      r.writeHead(200, { 'content-length': 5000 });
      r.write('x');
    })}/`,
  );
  await run('ssh', `http://127.0.0.1:${await s.tcpServer((x) => x.end('SSH-2.0-OpenSSH_9\r\n'))}/`);
  await run(
    'garbage',
    `http://127.0.0.1:${await s.tcpServer((x) => x.once('data', () => x.end('\x00\x01\x02')))}/`,
  );
  await run(
    'headers',
    `http://127.0.0.1:${await s.tcpServer((x) => x.once('data', () => x.end(`HTTP/1.1 200 OK\r\na: ${'x'.repeat(20000)}\r\n\r\n`)))}/`,
  );
  await run(
    '302',
    `http://127.0.0.1:${await s.httpServer((_q, r) => r.writeHead(302, { location: '/else' }).end())}/`,
  );
  const p = await s.proxyServer();
  await run('proxy http', `http://127.0.0.1:${plain}/a`, { httpProxy: `http://u:pw@127.0.0.1:${p.port}` });
  await run('proxy https', `https://127.0.0.1:${g}/a`, {
    httpsProxy: `http://127.0.0.1:${p.port}`,
    ca: ca.cert,
  });
  console.log(p.seen);
  const dp = await s.deadPort();
  await run('proxy dead', `http://127.0.0.1:${plain}/a`, { httpProxy: `http://u:pw@127.0.0.1:${dp}` });
  await run('proxy dead s', `https://127.0.0.1:${g}/a`, { httpsProxy: `http://127.0.0.1:${dp}` });
  await run('proxy target dead', `https://127.0.0.1:${dp}/a`, { httpsProxy: `http://127.0.0.1:${p.port}` });
  await run('proxy http target dead', `http://127.0.0.1:${dp}/a`, {
    httpProxy: `http://127.0.0.1:${p.port}`,
  });
  const pr = await s.proxyServer(407);
  await run('proxy 407', `http://127.0.0.1:${plain}/a`, { httpProxy: `http://127.0.0.1:${pr.port}` });
  await run('proxy 407s', `https://127.0.0.1:${g}/a`, { httpsProxy: `http://127.0.0.1:${pr.port}` });
  await run('proxy hang', `https://127.0.0.1:${g}/a`, {
    httpsProxy: `http://127.0.0.1:${await s.tcpServer(() => {})}`,
    timeoutMs: 50,
  });
  await run('proxy bad url', `http://127.0.0.1:${plain}/a`, { httpProxy: '127.0.0.1:3128' });
  await run('proxy bad url', `http://127.0.0.1:${plain}/a`, { httpProxy: 'not a url' });
  await run('proxy ftp', `http://127.0.0.1:${plain}/a`, { httpProxy: 'ftp://127.0.0.1:1' });
  await run('no_proxy', `http://127.0.0.1:${plain}/a`, {
    httpProxy: `http://127.0.0.1:${dp}`,
    noProxy: 'localhost,127.0.0.1',
  });
  await run('header nl', `http://127.0.0.1:${plain}/a`, {}, { headers: { 'x-a': 'a\r\nb: c' } });
  await run('bad port', `http://127.0.0.1:0/a`, {});
});
