// What goes on while a page is looked at: asked again and again, but only as long as something
// runs, the tab is seen and the page is there.

import type { Failure } from '../api/failure'
import { repeat } from './repeat'

class Tab {
  isSeen = $state(document.visibilityState !== 'hidden')
}
const tab = new Tab()
document.addEventListener('visibilitychange', () => (tab.isSeen = document.visibilityState !== 'hidden'))

/** What can be asked anew, such as a query or a list's `found`. */
interface Asked {
  reload(): Promise<void>
  /** Why it was not answered when it was last asked for. */
  readonly failed: Failure | undefined
}

/** Asks anew as long as something runs. */
export function follow(what: () => Asked, runs: () => boolean, every?: () => number) {
  const going = $derived(runs())
  let wasAway = false
  $effect(() => {
    if (!going) return
    if (!tab.isSeen) {
      wasAway = true
      return
    }
    // Whoever comes back sees at once what is now.
    if (wasAway) queueMicrotask(() => void what().reload())
    wasAway = false
    return repeat(async () => {
      const asked = what()
      await asked.reload()
      return asked.failed === undefined
    }, every)
  })
}
