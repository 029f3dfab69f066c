// Selectors of tags and repositories, as rules of immutability and of retention hold them: which
// names are meant, in words, and whether a selector is one.

import type { RetentionSelector } from '../../api/client'
import { matches, readPattern } from '../../lib/doublestar'
import { t, words, type Key } from '../../lib/i18n.svelte'
import { lists } from '../../lib/written'

export type What = 'repositories' | 'tags'
export type Kind = 'doublestar' | 'regex' | 'semver'

/** A selector as a form holds it. */
export interface Selector {
  kind: Kind
  excludes: boolean
  pattern: string
}

/** The names of kinds, and how a pattern of each is written. */
export const KINDS: Record<Kind, { name: Key; hint: Key; example: string }> = {
  doublestar: { name: 'selector.doublestar', hint: 'selector.doublestarHint', example: 'release-*' },
  regex: { name: 'selector.regex', hint: 'selector.regexHint', example: 'v[0-9]+' },
  semver: { name: 'selector.semver', hint: 'selector.semverHint', example: '>=1.2, <2' },
}

const isKind = (kind: string): kind is Kind => kind in KINDS

/** A selector that means all names. */
export const ALL: Selector = { kind: 'doublestar', excludes: false, pattern: '**' }

export function readSelector(stored: Partial<RetentionSelector>): Selector {
  const kind = stored.kind ?? ''
  return {
    kind: isKind(kind) ? kind : 'doublestar',
    excludes: stored.decoration === 'excludes' || stored.decoration === 'repoExcludes',
    pattern: stored.pattern ?? '',
  }
}

export function writeSelector(selector: Selector, what: What): RetentionSelector {
  const [means, excludes] = what === 'tags' ? ['matches', 'excludes'] : ['repoMatches', 'repoExcludes']
  return { kind: selector.kind, decoration: selector.excludes ? excludes : means, pattern: selector.pattern.trim() }
}

/** Whether a selector of tags means artifacts without any, as the server reads it. */
export function meansUntagged(stored: Partial<RetentionSelector>): boolean {
  const { excludes } = readSelector(stored)
  return (readUntagged(stored.extras ?? '') ?? !excludes) !== excludes
}

/** What the extras say; nothing where they cannot be read. */
function readUntagged(extras: string): boolean | undefined {
  try {
    const read: unknown = JSON.parse(extras)
    if (typeof read !== 'object' || read === null) return undefined
    const { untagged = false } = read as { untagged?: unknown }
    return typeof untagged === 'boolean' ? untagged : undefined
  } catch {
    return undefined
  }
}

/** The extras with which a selector means artifacts without tags, or does not. */
export function writeUntagged(selector: Selector, untagged: boolean): string {
  return JSON.stringify({ untagged: untagged !== selector.excludes })
}

/** The longest expression, in bytes. */
const LONGEST = 1024

/** Why a pattern is none, as far as that is seen without the server. */
export function wrongPattern({ kind, pattern }: Selector): Key | undefined {
  const text = pattern.trim()
  if (kind === 'doublestar') {
    const read = readPattern(text)
    return 'wrong' in read ? read.wrong : undefined
  }
  if (text === '') return 'pattern.wrong.empty'
  if (new TextEncoder().encode(text).length > LONGEST) return 'pattern.wrong.long'
  if (kind === 'regex' && /\(\?<?[=!]|\\[1-9]/.test(text)) return 'pattern.wrong.regex'
  return undefined
}

/** Whether a selector means a name; nothing where only the server knows. */
export function means(selector: Selector, name: string): boolean | undefined {
  if (selector.kind !== 'doublestar') return undefined
  const text = selector.pattern.trim()
  if (text === '') return !selector.excludes
  const read = readPattern(text)
  return 'wrong' in read ? undefined : matches(read.pattern, name) !== selector.excludes
}

function meansAll({ kind, excludes, pattern }: Selector, what: What): boolean {
  const all = what === 'tags' ? ['', '*', '**'] : ['', '**']
  return kind === 'doublestar' && !excludes && all.includes(pattern.trim())
}

// Patterns are set apart by isolates: so they are found again in a sentence, and what runs from
// right to left in one does not turn the words around it.
const [OPEN, CLOSE] = ['\u2068', '\u2069']

/** A sentence in parts: words, and patterns, which stand as code. */
export function parts(sentence: string): { text: string; isPattern: boolean }[] {
  const found = sentence.split(/[\u2068\u2069]/).map((text, at) => ({ text, isPattern: at % 2 === 1 }))
  return found.filter((part) => part.text !== '')
}

const WORDS: Record<What, Record<Kind, [Key, Key]>> = {
  repositories: {
    doublestar: ['selector.repositories.matching', 'selector.repositories.other'],
    regex: ['selector.repositories.fitting', 'selector.repositories.unfitting'],
    semver: ['selector.repositories.version', 'selector.repositories.noVersion'],
  },
  tags: {
    doublestar: ['selector.tags.matching', 'selector.tags.other'],
    regex: ['selector.tags.fitting', 'selector.tags.unfitting'],
    semver: ['selector.tags.version', 'selector.tags.noVersion'],
  },
}

/** Which names some selectors mean: those that all of them do. */
export function inWords(selectors: Selector[], what: What): string {
  const some = selectors.filter((selector) => !meansAll(selector, what))
  if (some.length === 0) return what === 'tags' ? t('selector.tags.all') : t('selector.repositories.all')
  const one = (selector: Selector) => {
    const [means, excludes] = WORDS[what][selector.kind]
    const pattern = selector.pattern.trim().replaceAll(/[\u2066-\u2069]/g, '')
    return t(selector.excludes ? excludes : means, { pattern: `${OPEN}${pattern}${CLOSE}` })
  }
  if (some.length === 1) return one(some[0] as Selector)
  return t(what === 'tags' ? 'selector.tags.both' : 'selector.repositories.both', { all: lists(words.locale).format(some.map(one)) })
}
