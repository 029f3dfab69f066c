// Where the browser is, and the way to somewhere else. The address is the state of a page:
// what a list shows is written there, so that a link reproduces it.

import { untrack } from 'svelte'

class Place {
  path = $state(window.location.pathname)
  query = $state.raw(new URLSearchParams(window.location.search))
  /** Whether the browser is at an address already whose page is on its way. */
  coming = $state(false)

  read() {
    this.coming = false
    this.path = window.location.pathname
    this.query = new URLSearchParams(window.location.search)
  }

  /** Path and query, as a link to here. */
  get href() {
    const query = this.query.toString()
    return query ? `${this.path}?${query}` : this.path
  }
}

export const place = new Place()

/** Gets what the page at a path is made of; nothing to wait for if that is there. */
let prepare: (path: string) => Promise<unknown> | undefined = () => undefined

/** Says how to get what a page is made of before it is gone to. */
export function beforeArriving(how: typeof prepare) {
  prepare = how
}

let last = 0

/**
 * Follows the browser to its address, as soon as the page there can be shown. Until then the
 * page that is left stays whole: it sees nothing of an address that is not its own.
 */
function follow(arrived: () => void) {
  last += 1
  const own = last
  const arrive = () => {
    // Somebody may have gone elsewhere meanwhile.
    if (own !== last) return
    place.read()
    arrived()
  }
  const waiting = prepare(window.location.pathname)
  if (!waiting) return arrive()
  place.coming = true
  // What could not be had is told of, and tried again, where it would be shown.
  void waiting.then(arrive, arrive)
}

const frame = () => document.getElementById('main')

/** Goes somewhere in the portal. */
export function go(href: string, how: { replace?: boolean; keepScroll?: boolean } = {}) {
  if (how.replace) history.replaceState(null, '', href)
  else {
    // Whoever comes back finds the page where it was left.
    history.replaceState({ top: frame()?.scrollTop ?? 0 }, '')
    history.pushState(null, '', href)
  }
  follow(() => {
    if (!how.keepScroll) frame()?.scrollTo(0, 0)
  })
}

/** For how long a page that is come back to may take until it is as long as it was. */
const GROWS = 1000

/** Moves a page that is come back to where it was left, as soon as it is long enough. */
function comeBackTo(top: number) {
  const until = performance.now() + GROWS
  function step() {
    const main = frame()
    main?.scrollTo(0, top)
    if ((main?.scrollTop ?? 0) < top && performance.now() < until) requestAnimationFrame(step)
  }
  requestAnimationFrame(step)
}

/** Changes parameters of the address; what is empty leaves it. A page that is being left changes nothing. */
export function setQuery(
  changes: Record<string, string | number | undefined | null>,
  how: { replace?: boolean } = {},
) {
  if (untrack(() => place.coming)) return
  const query = new URLSearchParams(untrack(() => place.query))
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === null || value === '') query.delete(name)
    else query.set(name, String(value))
  }
  const text = query.toString()
  go(untrack(() => place.path) + (text ? `?${text}` : ''), { ...how, keepScroll: true })
}

/** Whether the address says that something new is to be made on its page. */
export function isNew() {
  return place.query.get('new') === '1'
}

export function setNew(on: boolean) {
  if (on !== untrack(isNew)) setQuery({ new: on ? '1' : undefined }, { replace: !on })
}

/** Has links within the portal change the address without loading everything anew. */
export function watchLinks() {
  window.addEventListener('popstate', ({ state }: PopStateEvent) => {
    follow(() => comeBackTo((state as { top?: number } | null)?.top ?? 0))
  })
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0) return
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    const link = (event.target as Element).closest?.('a[href]')
    if (!(link instanceof HTMLAnchorElement)) return
    if (link.target || link.hasAttribute('download') || link.origin !== window.location.origin) return
    if (/^\/(api|c|v2|service)\//.test(link.pathname)) return
    if (link.hash && link.pathname === window.location.pathname) return
    event.preventDefault()
    // A link may say that it changes only a part of the page.
    go(link.pathname + link.search + link.hash, { keepScroll: link.hasAttribute('data-stay') })
  })
}

/** What a pattern such as `/projects/:name/*` finds in a path, or nothing. */
export function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/')
  const parts = path.replace(/\/+$/, '').split('/')
  const found: Record<string, string> = {}
  for (const [i, part] of wanted.entries()) {
    if (part === '*') return found
    const own = parts[i]
    if (own === undefined) return undefined
    if (part.startsWith(':')) {
      if (!own) return undefined
      try {
        found[part.slice(1)] = decodeURIComponent(own)
      } catch {
        return undefined
      }
    } else if (part !== own) return undefined
  }
  return parts.length === wanted.length ? found : undefined
}

/** A path from its parts, each encoded. */
export function path(...parts: (string | number)[]) {
  return `/${parts.map((part) => encodeURIComponent(part)).join('/')}`
}
