import { createServer } from 'node:net';

/** Below Linux's and macOS's ephemeral range, or an outgoing connection could take a port before its server does. */
const range = { from: 16_000, to: 32_000 };

/** Ports promised to servers of this process which do not listen yet. */
const promised = new Set<number>();

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/**
 * Finds an offset at which every one of the given ports is free on 127.0.0.1, and keeps them for the caller.
 *
 * @throws Error when a hundred offsets at random would not do
 */
export async function freeOffset(ports: number[]): Promise<number> {
  const lowest = range.from - Math.min(...ports);
  const highest = range.to - Math.max(...ports);
  for (let attempt = 0; attempt < 100; attempt++) {
    // At random, so that two runs which start together do not try the same ports.
    const offset = lowest + Math.floor(Math.random() * (highest - lowest));
    const shifted = ports.map((port) => port + offset);
    if (shifted.some((port) => promised.has(port))) continue;
    for (const port of shifted) promised.add(port);
    if ((await Promise.all(shifted.map(isFree))).every(Boolean)) return offset;
    for (const port of shifted) promised.delete(port);
  }
  throw new Error(`No free ports between ${range.from} and ${range.to} on 127.0.0.1`);
}

/** Finds one free port on 127.0.0.1 and keeps it for the caller. */
export function freePort(): Promise<number> {
  return freeOffset([0]);
}
