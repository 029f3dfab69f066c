/** How long after an answer is asked again, in milliseconds. */
export const EVERY = 2000
/** How long at the most, when one answer after another fails. */
const LONGEST = 30_000

/**
 * Asks again and again, a while after each answer, and longer each time that it fails. Gives
 * what ends it.
 */
export function repeat(ask: () => Promise<boolean>, every: () => number = () => EVERY): () => void {
  let ended = false
  let longer = 1
  let timer: ReturnType<typeof setTimeout>
  function later() {
    timer = setTimeout(again, Math.min(LONGEST, every() * longer))
  }
  async function again() {
    const well = await ask()
    if (ended) return
    longer = well ? 1 : longer * 2
    later()
  }
  later()
  return () => {
    ended = true
    clearTimeout(timer)
  }
}
