import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { matches, readPattern } from './doublestar'

// The server's own table: what it understands of patterns is what is foretold here.
const source = readFileSync(new URL('../../../crates/kit/src/pattern.rs', import.meta.url), 'utf8')
const text = (written: string) => JSON.parse(`"${written}"`) as string
const TEXT = '"((?:[^"\\\\]|\\\\.)*)"'

test('patterns match as the server says', () => {
  const rules = [...source.matchAll(new RegExp(`\\(${TEXT}, ${TEXT}, (true|false)\\)`, 'g'))]
  expect(rules.length).toBeGreaterThan(60)
  for (const [, pattern = '', name = '', expected] of rules) {
    const read = readPattern(text(pattern))
    expect('pattern' in read && matches(read.pattern, text(name)), `${pattern} ${name}`).toBe(expected === 'true')
  }
})

test('what is no pattern for the server is none here', () => {
  const list = source.slice(source.indexOf('NOT_WELL_FORMED: &[&str]')).split('];')[0] ?? ''
  const wrong = [...list.slice(list.indexOf('= &[')).matchAll(new RegExp(TEXT, 'g'))].map(([, one = '']) => text(one))
  expect(wrong.length).toBeGreaterThan(10)
  for (const pattern of [...wrong, '{a,b}'.repeat(9), 'a'.repeat(1025), `${'{'.repeat(9)}x${'}'.repeat(9)}`]) {
    expect(readPattern(pattern), pattern.slice(0, 40)).toHaveProperty('wrong')
  }
})

test('what takes long elsewhere is quick', () => {
  const start = performance.now()
  const stars = readPattern('*a'.repeat(500))
  expect('pattern' in stars && matches(stars.pattern, 'a'.repeat(255))).toBe(false)
  const parts = readPattern('**/a/'.repeat(100))
  expect('pattern' in parts && matches(parts.pattern, 'a/'.repeat(99))).toBe(false)
  expect(performance.now() - start).toBeLessThan(2000)
})
