import { afterEach, describe, expect, it, vi } from 'vitest';
import { createAdapter, MemoryStore } from '../../src/sandbox/memory-store.ts';

afterEach(() => {
  vi.useRealTimers();
});

describe('the memory store', () => {
  it('forgets a record when its time is over', () => {
    vi.useFakeTimers();
    const store = new MemoryStore();
    store.put('Kind', 'id', { a: 1 }, 10);
    vi.advanceTimersByTime(9_999);
    expect(store.get('Kind', 'id')).toEqual({ a: 1 });
    vi.advanceTimersByTime(1);
    expect(store.get('Kind', 'id')).toBeUndefined();
  });

  it('gives a record away once', () => {
    const store = new MemoryStore();
    store.put('Kind', 'id', {});
    expect([store.take('Kind', 'id'), store.take('Kind', 'id')]).toEqual([true, false]);
  });

  it('revokes the records of one grant and one kind', async () => {
    const store = new MemoryStore();
    store.put('AccessToken', 'a', { grantId: 'g' });
    store.put('AccessToken', 'b', { grantId: 'h' });
    store.put('RefreshToken', 'c', { grantId: 'g' });
    await createAdapter(store, 'AccessToken').revokeByGrantId('g');
    expect(store.get('AccessToken', 'a')).toBeUndefined();
    expect(store.get('AccessToken', 'b')).toBeDefined();
    expect(store.get('RefreshToken', 'c')).toBeDefined();
  });

  it('keeps living records when it sweeps', () => {
    vi.useFakeTimers();
    const store = new MemoryStore();
    store.put('Kind', 'short', {}, 1);
    store.put('Kind', 'long', {}, 1000);
    vi.advanceTimersByTime(2000);
    for (let id = 0; id < 600; id += 1) {
      store.put('Kind', `${id}`, {});
    }
    expect(store.get('Kind', 'long')).toBeDefined();
    expect(store.get('Kind', 'short')).toBeUndefined();
  });
});
