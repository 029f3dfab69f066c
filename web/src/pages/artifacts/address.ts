// Addresses of artifacts, with the way by which somebody came: an index, what it lists, and
// what is about that.

import { path, place } from '../../lib/router.svelte'
import { short } from './commands'

const DEEPEST = 8
const DIGEST = /^sha(?:256:[\da-f]{64}|512:[\da-f]{128})$/

/** The page of an artifact, by its repository's full name. `way` are the digests before it. */
export function artifactHref(repository: string, digest: string, way: string[] = [], part?: string): string {
  const slash = repository.indexOf('/')
  const at = path('projects', repository.slice(0, slash), 'repositories', repository.slice(slash + 1), 'artifacts', digest)
  const query = new URLSearchParams()
  if (way.length > 0) query.set('via', way.slice(-DEEPEST).join('.'))
  if (part) query.set('part', part)
  return query.size > 0 ? `${at}?${query}` : at
}

/** The digests before the artifact of this page, the outermost first. */
export function wayHere(): string[] {
  const told = place.query.get('via')?.split('.') ?? []
  return told.filter((digest) => DIGEST.test(digest)).slice(-DEEPEST)
}

/** The way as links. */
export function steps(repository: string, way: string[]): { href: string; text: string }[] {
  return way.map((digest, i) => ({ href: artifactHref(repository, digest, way.slice(0, i)), text: short(digest) }))
}
