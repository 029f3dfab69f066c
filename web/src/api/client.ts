// The client of the server's API. Paths, parameters and models come from its OpenAPI document.

import createClient from 'openapi-fetch'
import { setClock } from '../lib/clock'
import { isSomebodyThere } from '../lib/presence'
import { Failure } from './failure'
import type { paths } from './schema'

export type * from './schema'

const TOKEN = 'X-Harbor-CSRF-Token'
/** Says that a request is no use of the session: nobody is there who asked for it. */
const NO_RENEWAL = 'X-Harbor-No-Session-Renewal'
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/** What a page shows to prove that a request comes from it; every answer may bring a new one. */
let token = ''

/** Asked when a session has ended: whether somebody signed in again. */
let signInAgain: () => Promise<boolean> = async () => false

export function whenSessionEnds(ask: () => Promise<boolean>) {
  signInAgain = ask
}

/** Told of each request whether it was answered by the server itself. */
let whetherHeard: (answered: boolean) => void = () => {}

export function whenHeard(tell: (answered: boolean) => void) {
  whetherHeard = tell
}

/** Told that something was refused that a page offered. */
let refused: () => void = () => {}

export function whenRefused(tell: () => void) {
  refused = tell
}

/** How long an answer is waited for, in milliseconds: a connection may be lost without a word. */
const PATIENCE = 60_000
const PATIENCE_WITH_DEEDS = 300_000

async function once(request: Request): Promise<Response> {
  const asked = request.clone()
  asked.headers.set(TOKEN, token)
  if (!isSomebodyThere()) asked.headers.set(NO_RENEWAL, 'true')
  const isSafe = SAFE.has(request.method)
  const late = AbortSignal.timeout(isSafe ? PATIENCE : PATIENCE_WITH_DEEDS)
  const response = await fetch(asked, { signal: AbortSignal.any([request.signal, late]) }).catch((error: unknown) => {
    if (request.signal.aborted) throw error
    whetherHeard(false)
    throw late.aborted ? new Failure(0, isSafe ? 'NETWORK' : 'TIMEOUT', '', undefined) : error
  })
  whetherHeard(response.status !== 502 && response.status !== 504)
  token = response.headers.get(TOKEN) ?? token
  setClock(response.headers.get('Date'))
  return response
}

/** Sends a request; once more when only the page's token was out of date. */
export async function send(request: Request): Promise<Response> {
  if (!token && !SAFE.has(request.method)) await once(new Request('/api/v2.0/ping'))
  const shown = token
  const response = await once(request)
  if (response.status !== 403 || SAFE.has(request.method) || token === shown) return response
  const text = await response.clone().text()
  return text.includes('CSRF token') ? once(request) : response
}

async function sendSignedIn(request: Request): Promise<Response> {
  const response = await send(request)
  if (response.status === 401 && (await signInAgain())) return send(request)
  if (response.status === 403) refused()
  return response
}

export const api = createClient<paths>({ baseUrl: window.location.origin, fetch: sendSignedIn })

/** Says that a project in a path is a name, even one of digits alone. */
export const BY_NAME = { 'X-Is-Resource-Name': true } as const

type Answer<T> = { data?: T; error?: unknown; response: Response }

/** What the server answered; throws a `Failure` otherwise. */
export async function ask<T>(asked: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await asked
  if (!response.ok) throw Failure.read(response, error)
  return data as T
}

export interface Page<T> {
  items: T[]
  /** How many there are on all pages. */
  total: number
}

/** A page of a list. */
export async function askPage<T>(asked: Promise<Answer<T[]>>): Promise<Page<T>> {
  const { data, error, response } = await asked
  if (!response.ok) throw Failure.read(response, error)
  const items = data ?? []
  return { items, total: Number(response.headers.get('X-Total-Count') ?? items.length) }
}

/** The number at the end of the address of what was made. */
export async function askMade(asked: Promise<Answer<unknown>>): Promise<string> {
  const { error, response } = await asked
  if (!response.ok) throw Failure.read(response, error)
  return (response.headers.get('Location') ?? '').split('/').pop() ?? ''
}

