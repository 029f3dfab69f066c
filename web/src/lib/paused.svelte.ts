/** How long nothing is typed before the server is asked, in milliseconds. */
export const PAUSE = 200

/** What was typed once a pause was made, so that the server is not asked for every letter. */
export function paused(typed: () => string) {
  let text = $state('')
  $effect(() => {
    const now = typed().trim()
    const waiting = setTimeout(() => (text = now), PAUSE)
    return () => clearTimeout(waiting)
  })
  return {
    get text() {
      return text
    },
    /** Does not wait for the pause: somebody wants it now. */
    end() {
      text = typed().trim()
    },
  }
}
