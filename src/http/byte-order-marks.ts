import type { HttpClient } from './types.ts';

/** Wraps a client to remove byte order marks from the text of its answers; the bytes stay unchanged. */
export function withoutByteOrderMarks(client: HttpClient, warn: (text: string) => void): HttpClient {
  return {
    async send(request, signal) {
      const answer = await client.send(request, signal);
      if (!answer.body.startsWith('\ufeff')) return answer;
      const { origin, pathname } = new URL(request.url);
      warn(`the byte order mark before the answer of ${origin}${pathname} was removed`);
      return { ...answer, body: answer.body.slice(1) };
    },
  };
}
