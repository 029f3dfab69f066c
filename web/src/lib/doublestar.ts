// Patterns of names, by the rules of the server: `*` ends at a slash, `**` between slashes does
// not, `{a,b}` is one or the other. The server decides; this says at once what it will say.

import type { Key } from './i18n.svelte'

/** The longest pattern, in bytes, and how much one may stand for. */
const LONGEST = 1024
const MOST_ALTERNATIVES = 256
const MOST_TOKENS = 16 * 1024
const DEEPEST = 8

type Token = 'any' | 'one' | 'slash' | 'brace' | { char: string } | { ranges: [string, string][]; not: boolean }
type Part = 'parts' | Token[]
export type Pattern = Part[][]

class Wrong extends Error {
  constructor(readonly key: Key) {
    super(key)
  }
}

class Reader {
  #at = 0
  readonly #chars: string[]
  constructor(text: string) {
    this.#chars = [...text]
  }
  get next(): string | undefined {
    return this.#chars[this.#at]
  }
  take(): string | undefined {
    return this.#chars[this.#at++]
  }
  /** What stands before the first bracket that closes and that no backslash precedes. */
  takeClass(): string[] {
    let end = this.#at
    while (end < this.#chars.length && (this.#chars[end] !== ']' || (end > this.#at && this.#chars[end - 1] === '\\'))) end += 1
    if (end === this.#chars.length) throw new Wrong('pattern.wrong.bracket')
    const inside = this.#chars.slice(this.#at, end)
    this.#at = end + 1
    return inside
  }
}

/** Reads a pattern, or why it is none. */
export function readPattern(text: string): { pattern: Pattern } | { wrong: Key } {
  if (new TextEncoder().encode(text).length > LONGEST) return { wrong: 'pattern.wrong.long' }
  try {
    const reader = new Reader(text)
    return { pattern: read(reader, [[]], 0).map(split) }
  } catch (error) {
    if (error instanceof Wrong) return { wrong: error.key }
    throw error
  }
}

/** Whether the whole of a name matches. */
export function matches(pattern: Pattern, name: string): boolean {
  const parts = name.split('/')
  return pattern.some((alternative) => matchesParts(alternative, parts))
}

function read(reader: Reader, before: Token[][], depth: number): Token[][] {
  let patterns = before
  while (reader.next !== undefined) {
    if (depth > 0 && (reader.next === ',' || reader.next === '}')) return patterns
    const char = reader.take() as string
    if (char === '{') {
      patterns = readAlternatives(reader, patterns, depth + 1)
      continue
    }
    const token = readToken(reader, char)
    patterns = patterns.map((tokens) => [...tokens, token])
    if (patterns.reduce((sum, tokens) => sum + tokens.length, 0) > MOST_TOKENS) throw new Wrong('pattern.wrong.many')
  }
  if (depth > 0) throw new Wrong('pattern.wrong.brace')
  return patterns
}

function readToken(reader: Reader, char: string): Token {
  if (char === '*') return 'any'
  if (char === '?') return 'one'
  if (char === '/') return 'slash'
  if (char === '[') return readClass(reader.takeClass())
  if (char !== '\\') return { char }
  const escaped = reader.take()
  if (escaped === undefined) throw new Wrong('pattern.wrong.backslash')
  return { char: escaped }
}

function readAlternatives(reader: Reader, before: Token[][], depth: number): Token[][] {
  if (depth > DEEPEST) throw new Wrong('pattern.wrong.many')
  const after: Token[][] = []
  for (;;) {
    after.push(...read(reader, before.map((tokens): Token[] => [...tokens, 'brace']), depth))
    if (after.length > MOST_ALTERNATIVES) throw new Wrong('pattern.wrong.many')
    if (reader.take() === '}') return after
  }
}

function readClass(inside: string[]): Token {
  if (inside.length === 0) throw new Wrong('pattern.wrong.class')
  const not = inside[0] === '^'
  let at = not ? 1 : 0
  const one = (): string => {
    const char = inside[at++]
    if (char === undefined || char === '-') throw new Wrong('pattern.wrong.class')
    if (char !== '\\') return char
    const escaped = inside[at++]
    if (escaped === undefined) throw new Wrong('pattern.wrong.class')
    return escaped
  }
  const ranges: [string, string][] = []
  while (at < inside.length) {
    const low = one()
    if (inside[at] === '-') {
      at += 1
      ranges.push([low, one()])
    } else ranges.push([low, low])
  }
  return { ranges, not }
}

/** Cuts a pattern without braces into what stands between the slashes. */
function split(tokens: Token[]): Part[] {
  const parts: Token[][] = [[]]
  for (const token of tokens) {
    if (token === 'slash') parts.push([])
    else parts.at(-1)?.push(token)
  }
  return parts.map((part) => (part.length === 2 && part[0] === 'any' && part[1] === 'any' ? 'parts' : part.filter((token) => token !== 'brace')))
}

function matchesParts(pattern: Part[], name: string[]): boolean {
  let reached = [true, ...name.map(() => false)]
  pattern.forEach((part, position) => {
    if (part === 'parts') {
      const first = reached.indexOf(true)
      if (first < 0) return
      // As the last part it stands for at least one.
      const isLast = position + 1 === pattern.length
      reached = reached.map((_, at) => at > first || (at === first && !isLast))
    } else reached = reached.map((_, at) => at > 0 && reached[at - 1] === true && matchesPart(part, [...(name[at - 1] ?? '')]))
  })
  return reached[name.length] === true
}

function matchesPart(tokens: Token[], name: string[]): boolean {
  let [at, from] = [0, 0]
  let star: [number, number] | undefined
  for (;;) {
    const token = tokens[at]
    if (token === 'any') {
      star = [at, from]
      at += 1
    } else if (token === undefined && from === name.length) return true
    else if (token !== undefined && from < name.length && matchesCharacter(token, name[from] as string)) {
      at += 1
      from += 1
    } else {
      if (!star || star[1] >= name.length) return false
      star = [star[0], star[1] + 1]
      ;[at, from] = [star[0] + 1, star[1]]
    }
  }
}

function matchesCharacter(token: Token, char: string): boolean {
  if (token === 'one') return true
  if (typeof token === 'string') return false
  if ('char' in token) return token.char === char
  const code = char.codePointAt(0) as number
  return token.ranges.some(([low, high]) => (low.codePointAt(0) as number) <= code && code <= (high.codePointAt(0) as number)) !== token.not
}
