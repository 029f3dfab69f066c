// Who uses the portal, and what they may do. Only what is allowed is offered; the server
// decides again whatever is asked of it.

import { api, ask, send, whenRefused, whenSessionEnds, type GeneralInfo, type Permission, type UserResp } from '../api/client'
import { Failure } from '../api/failure'
import { forget, forgetAll, query } from './query.svelte'
import { go, place } from './router.svelte'

class Session {
  info = $state.raw<GeneralInfo>()
  user = $state.raw<UserResp>()
  rights = $state.raw(new Set<string>())
  /** Whether the session ended while a page is open; somebody is asked to sign in over it. */
  ended = $state(false)
  answer: ((signedIn: boolean) => void) | undefined

  get isAdmin() {
    return !!this.user && (this.user.sysadmin_flag || this.user.admin_role_in_auth)
  }

  /** Whether the user may do something with the system. */
  may(resource: string, action: string) {
    return this.rights.has(`${resource}:${action}`)
  }

  /** Whether the user may make projects. */
  get mayCreateProjects() {
    if (!this.user) return false
    return this.isAdmin || this.info?.project_creation_restriction === 'everyone'
  }
}

export const session = new Session()

function setOf(permissions: Permission[]) {
  return new Set(permissions.map(({ resource, action }) => `${resource}:${action}`))
}

/** Where every tab writes whose session it found, so that the others hear of it. */
const WHOSE = 'haven.user'

/** Finds out who uses the browser. Nobody is asked for a user whom the server does not know. */
export async function loadSession() {
  const answer = await send(new Request('/api/v2.0/systeminfo'))
  if (!answer.ok) throw Failure.read(answer, undefined)
  session.info = (await answer.json()) as GeneralInfo
  if (session.info.harbor_version === undefined) {
    session.user = undefined
    session.rights = new Set()
    localStorage.removeItem(WHOSE)
    return
  }
  const [user, rights] = await Promise.all([
    ask(api.GET('/api/v2.0/users/current')),
    ask(api.GET('/api/v2.0/users/current/permissions', { params: { query: { scope: '/system', relative: true } } })),
  ])
  session.user = user
  session.rights = setOf(rights)
  localStorage.setItem(WHOSE, String(user.user_id))
}

/** Hears of sessions that begin in other tabs, which are this one's too. */
export function watchSession() {
  window.addEventListener('storage', ({ key, newValue }) => {
    if (key !== WHOSE || newValue === null) return
    if (newValue === String(session.user?.user_id)) session.answer?.(true)
    // Somebody else: nothing here is theirs, and nothing here may be done in their name.
    else window.location.reload()
  })
}

let wasRefused = false
whenRefused(() => (wasRefused = true))

/**
 * Asks anew what the user may do, if something was refused that a page offered: it was taken
 * away meanwhile. For when a page is left; until then it keeps what was typed there.
 */
export function renewRights() {
  if (!wasRefused || !session.user) return
  wasRefused = false
  void forget('rights')
  void api
    .GET('/api/v2.0/users/current/permissions', { params: { query: { scope: '/system', relative: true } } })
    .then(({ data }) => data && (session.rights = setOf(data)))
    .catch(() => undefined)
}

export async function reloadInfo() {
  session.info = await ask(api.GET('/api/v2.0/systeminfo'))
}

export type SignedIn = 'yes' | 'code' | 'wrong' | 'elsewhere'

/** Signs in by name and password; says whether a code of the second factor is wanted. */
export async function signIn(name: string, password: string, code: string): Promise<SignedIn> {
  const form = new URLSearchParams({ principal: name, password })
  if (code) form.set('totp', code)
  const answer = await send(new Request('/c/login', { method: 'POST', body: form }))
  if (answer.ok) return 'yes'
  const body: unknown = await answer.json().catch(() => undefined)
  const elsewhere = (body as { redirect_location?: string } | undefined)?.redirect_location
  if (answer.status === 403 && elsewhere) {
    window.location.assign(elsewhere)
    return 'elsewhere'
  }
  const failure = Failure.read(answer, body)
  if (failure.code === 'TOTP_REQUIRED') return 'code'
  if (failure.status === 401) return 'wrong'
  throw failure
}

/** What a page that asked for a session's end does: everything known is asked anew. */
export async function afterSignIn() {
  await loadSession()
  forgetAll()
}

export async function signOut() {
  const answer = await send(new Request('/c/log_out', { redirect: 'manual' }))
  const body: unknown = await answer.json().catch(() => undefined)
  const elsewhere = (body as { redirect_location?: string } | undefined)?.redirect_location
  // Everything that was known goes with the page.
  window.location.assign(elsewhere ?? '/sign-in')
}

/** The address of the page for signing in that comes back to here. */
export function signInHref() {
  const here = place.href
  return here === '/' ? '/sign-in' : `/sign-in?redirect_url=${encodeURIComponent(here)}`
}

let asking: Promise<boolean> | undefined

whenSessionEnds(() => {
  if (!session.user) {
    if (place.path !== '/sign-in') go(signInHref(), { replace: true })
    return Promise.resolve(false)
  }
  asking ??= new Promise<boolean>((resolve) => {
    session.ended = true
    session.answer = resolve
  }).finally(() => {
    session.ended = false
    asking = undefined
  })
  return asking
})

/** What the user may do in a project. */
export function projectRights(id: () => number | undefined) {
  const found = query(
    () => {
      const project = id()
      return project === undefined || !session.user ? undefined : ['rights', project]
    },
    (signal) =>
      ask(
        api.GET('/api/v2.0/users/current/permissions', {
          params: { query: { scope: `/project/${id()}`, relative: true } },
          signal,
        }),
      ),
  )
  const rights = $derived(setOf(found.data ?? []))
  return {
    get known() {
      return !session.user || found.data !== undefined
    },
    may(resource: string, action: string) {
      return rights.has(`${resource}:${action}`)
    },
  }
}
export type ProjectRights = ReturnType<typeof projectRights>

/** The host and port that registry clients use. */
export function registryHost() {
  return session.info?.registry_url || window.location.host
}
