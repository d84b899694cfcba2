import type { Adapter, Payload } from 'oidc-provider/lib/provider.js';

/** Expired records are swept away each time this many have been written: no timer is needed, and memory stays bounded. */
const SWEEP_EVERY = 500;

interface StoredRecord {
  payload: Payload;
  expiresAt: number;
}

/** What the sandbox remembers while it runs: one map for all kinds of records. */
export class MemoryStore {
  readonly #records = new Map<string, StoredRecord>();
  #writes = 0;

  /** Keeps a record for `seconds`; without them, until the sandbox closes. */
  put(kind: string, id: string, payload: Payload, seconds = Number.POSITIVE_INFINITY): void {
    this.#writes += 1;
    if (this.#writes % SWEEP_EVERY === 0) {
      this.#sweep();
    }
    this.#records.set(`${kind}:${id}`, { payload, expiresAt: Date.now() + seconds * 1000 });
  }

  get(kind: string, id: string): Payload | undefined {
    const key = `${kind}:${id}`;
    const record = this.#records.get(key);
    if (record !== undefined && record.expiresAt <= Date.now()) {
      this.#records.delete(key);
      return undefined;
    }
    return record?.payload;
  }

  /** The first record of one kind that has this value under that name. */
  search(kind: string, name: string, value: string): Payload | undefined {
    const now = Date.now();
    for (const [key, { payload, expiresAt }] of this.#records) {
      if (key.startsWith(`${kind}:`) && payload[name] === value && expiresAt > now) {
        return payload;
      }
    }
    return undefined;
  }

  /** Removes a record. @returns whether it existed; of two concurrent callers, true for one only */
  take(kind: string, id: string): boolean {
    const present = this.get(kind, id) !== undefined;
    this.#records.delete(`${kind}:${id}`);
    return present;
  }

  /** Removes the records of one kind that were issued under a grant. */
  revoke(kind: string, grantId: string): void {
    for (const [key, { payload }] of this.#records) {
      if (key.startsWith(`${kind}:`) && payload.grantId === grantId) {
        this.#records.delete(key);
      }
    }
  }

  #sweep(): void {
    const now = Date.now();
    for (const [key, { expiresAt }] of this.#records) {
      if (expiresAt <= now) {
        this.#records.delete(key);
      }
    }
  }
}

/** How the adapter of one kind of record differs from plain storage. */
export interface AdapterTraits {
  /** Seconds a record is kept after it expired. */
  grace?: number;
  /** The stored id of a value that a client presents; undefined when there is none. */
  identify?: (value: string) => Promise<string | undefined>;
}

/** An oidc-provider adapter for one kind of record. */
export function createAdapter(store: MemoryStore, kind: string, traits: AdapterTraits = {}): Adapter {
  const { grace = 0, identify } = traits;
  return {
    async upsert(id, payload, expiresIn) {
      store.put(kind, id, payload, expiresIn === undefined ? undefined : expiresIn + grace);
    },
    async find(value) {
      const id = identify === undefined ? value : await identify(value);
      return id === undefined ? undefined : store.get(kind, id);
    },
    async findByUid(uid) {
      return store.search(kind, 'uid', uid);
    },
    async findByUserCode(userCode) {
      return store.search(kind, 'userCode', userCode);
    },
    async consume(id) {
      const payload = store.get(kind, id);
      if (payload !== undefined) {
        payload.consumed = Math.floor(Date.now() / 1000);
      }
    },
    async destroy(id) {
      store.take(kind, id);
    },
    async revokeByGrantId(grantId) {
      store.revoke(kind, grantId);
    },
  };
}
