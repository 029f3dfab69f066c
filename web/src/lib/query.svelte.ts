// What the server said, kept by a key while pages come and go. A page that shows something
// again shows what is known at once and asks anew behind it.

import { untrack } from 'svelte'
import { Failure } from '../api/failure'
import { details, explain } from './failures'
import { complain } from './toasts.svelte'

class Entry<T> {
  data = $state.raw<T>()
  /** Why there is nothing to show, or no longer. */
  failure = $state.raw<Failure>()
  /** Why it was not answered when it was last asked for. */
  failed: Failure | undefined
  loading = $state(false)
  at = 0
  users = 0
  /** Whether what was answered is never another. */
  lasts = false
  load: ((signal: AbortSignal) => Promise<T>) | undefined
  #running: AbortController | undefined

  constructor(readonly key: string) {}

  async refresh() {
    if (!this.load) return
    this.#running?.abort()
    const running = new AbortController()
    this.#running = running
    this.loading = true
    try {
      const data = await this.load(running.signal)
      if (this.#running !== running) return
      this.data = data
      this.failure = undefined
      this.failed = undefined
      this.at = Date.now()
    } catch (error) {
      if (this.#running !== running) return
      const failure = Failure.of(error)
      this.failed = failure
      // What is known stays in sight, with all that somebody typed beside it.
      if (this.data === undefined || !failure.mayPass) this.failure = failure
      else if (!failure.isUnheard) complain(explain(failure), details(failure))
    } finally {
      if (this.#running === running) {
        this.loading = false
        this.#running = undefined
      }
    }
  }

  stop() {
    // What was asked and not answered is asked again by whoever comes next.
    if (this.#running) this.at = 0
    this.#running?.abort()
    this.#running = undefined
    this.loading = false
  }
}

const MOST = 150
/** For how long an answer is shown again without asking, in milliseconds. */
const FRESH = 1500

const entries = new Map<string, Entry<unknown>>()

function entry<T>(key: string): Entry<T> {
  let found = entries.get(key) as Entry<T> | undefined
  if (found) entries.delete(key)
  else found = new Entry<T>(key)
  entries.set(key, found as Entry<unknown>)
  for (const [old, one] of entries) {
    if (entries.size <= MOST) break
    if (one.users === 0) entries.delete(old)
  }
  return found
}

export interface Query<T> {
  /** What is asked for, as a text. */
  readonly key: string | undefined
  readonly data: T | undefined
  /** Whether what is shown belongs to another key, which was asked for before. */
  readonly stale: boolean
  readonly failure: Failure | undefined
  /** Why it was not answered when it was last asked for, whatever is shown. */
  readonly failed: Failure | undefined
  readonly loading: boolean
  reload(): Promise<void>
}

/** Asks for something as long as the component lives; nothing while the key is undefined. */
export function query<T>(
  key: () => unknown[] | undefined,
  load: (signal: AbortSignal) => Promise<T>,
  /** Whether what is found under a key never changes. */
  lasts = false,
): Query<T> {
  let current = $state.raw<Entry<T>>()
  let before = $state.raw<T>()
  // As a text: what it is made of may be new and say the same.
  const text = $derived.by(() => {
    const parts = key()
    return parts && JSON.stringify(parts)
  })
  $effect.pre(() => {
    if (text === undefined) {
      current = undefined
      return
    }
    const own = entry<T>(text)
    untrack(() => {
      if (current?.data !== undefined) before = current.data
      current = own
      own.load = load
      own.lasts = lasts
      own.users += 1
      if (!own.loading && (own.data === undefined || (!lasts && Date.now() - own.at > FRESH))) void own.refresh()
    })
    return () => {
      own.users -= 1
      if (own.users === 0) own.stop()
    }
  })
  return {
    get key() {
      return current?.key
    },
    get data() {
      return current?.data ?? (current?.failure ? undefined : before)
    },
    get stale() {
      return current !== undefined && current.data === undefined && before !== undefined
    },
    get failure() {
      return current?.failure
    },
    get failed() {
      return current?.failed
    },
    get loading() {
      return current?.loading ?? false
    },
    async reload() {
      await current?.refresh()
    },
  }
}

/** Forgets every answer whose key begins with some words, and asks anew for what is shown. */
export async function forget(...words: unknown[]) {
  const start = JSON.stringify(words).slice(0, -1)
  const shown: Promise<void>[] = []
  for (const [key, one] of entries) {
    const next = key[start.length]
    if (!key.startsWith(start) || (next !== ',' && next !== ']')) continue
    if (one.users > 0) shown.push(one.refresh())
    else entries.delete(key)
  }
  await Promise.all(shown)
}

/** For how long what somebody comes back to is taken for new, in milliseconds. */
const NEW_ENOUGH = 10_000

/** Asks anew for what is shown and was not answered. */
export function askAgain() {
  for (const one of entries.values()) if (one.users > 0 && one.failed?.mayPass) void one.refresh()
}

/** Asks anew for what is shown: somebody comes back from elsewhere, where it may have changed. */
export function lookAgain() {
  for (const one of entries.values()) {
    if (one.users > 0 && !one.loading && !one.lasts && Date.now() - one.at > NEW_ENOUGH) void one.refresh()
  }
}

/** Forgets everything: somebody else uses the browser now. */
export function forgetAll() {
  for (const [key, one] of entries) {
    if (one.users > 0) void one.refresh()
    else entries.delete(key)
  }
}
