// What the portal loads only once it is needed, and what becomes of that while the server is away.

import { send } from '../api/client'
import { connection, isBack } from './connection.svelte'

/** When the portal was last loaded anew because a part was not there. */
const KEPT = 'haven.reloaded'

/** Looks why a part could not be loaded. If the server is there, what was deployed meanwhile has other files: then the portal is loaded anew. */
export async function missed() {
  const answer = await send(new Request('/api/v2.0/ping')).catch(() => undefined)
  const last = Number(sessionStorage.getItem(KEPT) ?? 0)
  if (!answer?.ok || Date.now() - last < 60_000) return
  sessionStorage.setItem(KEPT, String(Date.now()))
  window.location.reload()
}

/** Loads a part; while the server is away, as soon as it is back. */
export async function part<T>(load: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await load()
    } catch (error) {
      await missed()
      if (!connection.lost) throw error
      await isBack()
    }
  }
}
