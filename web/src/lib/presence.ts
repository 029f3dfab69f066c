// Whether somebody is at the page. What a page asks by itself, again and again, is no use of a
// session: else one would never end as long as a tab stands open somewhere.

const SIGNS = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchmove'] as const

/** For how long somebody is taken to be there after the last sign of it, in milliseconds. */
const THERE = 60_000

let last = performance.now()

/** Has every sign of somebody tell. Opening the page is the first. */
export function watchPresence() {
  for (const sign of SIGNS) window.addEventListener(sign, () => (last = performance.now()), { capture: true, passive: true })
}

export function isSomebodyThere(): boolean {
  return performance.now() - last < THERE
}
