// Whether the server answers. While it does not, it is asked again and again; once it does,
// what was not answered is asked for anew, so that nobody has to.

import { send, whenHeard } from '../api/client'
import { askAgain, lookAgain } from './query.svelte'
import { repeat } from './repeat'

class Connection {
  lost = $state(false)
}

export const connection = new Connection()

let stop: (() => void) | undefined

/** What goes on once the server answers again. */
const waiting: (() => void)[] = []

/** Waits until the server answers again. */
export const isBack = () => new Promise<void>((done) => waiting.push(done))

/** Whether the server answers, as far as a short question tells. */
async function isThere(): Promise<boolean> {
  if (document.visibilityState === 'hidden') return false
  await send(new Request('/api/v2.0/ping')).catch(() => undefined)
  return !connection.lost
}

/** Has every request tell whether it was answered. */
export function watchConnection() {
  whenHeard((answered) => {
    if (answered !== connection.lost) return
    connection.lost = !answered
    stop?.()
    stop = answered ? undefined : repeat(isThere)
    if (!answered) return
    askAgain()
    for (const goOn of waiting.splice(0)) goOn()
  })
  window.addEventListener('online', () => void isThere())
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') return
    if (connection.lost) void isThere()
    else lookAgain()
  })
}
