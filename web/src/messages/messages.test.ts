// The words of the portal: the same in every language, all of them used, none outside of the files.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, type AST } from 'svelte/compiler'
import { expect, test } from 'vitest'
import { format } from '../lib/message'
import en from './en.json'
import zh from './zh-CN.json'

const SRC = new URL('..', import.meta.url).pathname
const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(svelte|ts)$/.test(name) && !/\.test\.ts$|schema\.d\.ts$/.test(name))
  .map((name) => ({ name, text: readFileSync(join(SRC, name), 'utf8') }))

const params = (text: string) => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))].sort()

test('every language has every text', () => {
  expect(Object.keys(zh)).toEqual(Object.keys(en))
  for (const [key, text] of Object.entries(zh)) expect(text.trim(), key).not.toBe('')
})

test('a translation takes nothing that the text does not have', () => {
  for (const [key, text] of Object.entries(en)) {
    const there = params(text)
    for (const own of params(zh[key as keyof typeof zh])) expect(there, key).toContain(own)
  }
})

test('what one language calls by its name the other does not only count', () => {
  for (const [key, text] of Object.entries(en)) {
    const own = params(zh[key as keyof typeof zh])
    for (const one of params(text)) expect(own, key).toContain(one)
  }
})

test('every text that is asked for is there', () => {
  const keys = new Set(Object.keys(en))
  for (const { name, text } of sources) {
    for (const [, key] of text.matchAll(/\bt\(\s*'([^']+)'/g)) expect(keys, name).toContain(key)
  }
})

/** Beginnings of keys that are put together from what the server says. */
const MADE = ['home.range.', 'resource.', 'verb.', 'operation.', 'auditType.', 'type.', 'health.', 'groupType.', 'sourceType.', 'scope.', 'role.', 'may.', 'theme.', 'dates.', 'config.', 'profile.', 'banner.', 'ldap.scope.', 'status.', 'trigger.', 'job.', 'jobText.', 'accessory.', 'additionName.']

test('every text is used', () => {
  const all = sources.map(({ text }) => text).join('\n')
  const unused = Object.keys(en).filter((key) => !all.includes(`'${key}'`) && !MADE.some((made) => key.startsWith(made)))
  expect(unused).toEqual([])
})

const SPOKEN = new Set(['title', 'alt', 'placeholder', 'aria-label', 'label', 'text', 'hint', 'wrong', 'verb', 'optional'])
const hasWords = (text: string) => /\p{L}{2,}/u.test(text)
/** What is no language: names of programs. */
const NEUTRAL = /^(?:Haven|curl)$/

/** The texts of a component that people read and that stand in it. */
function spoken(node: unknown, found: string[], attribute = ''): void {
  if (Array.isArray(node)) for (const one of node) spoken(one, found, attribute)
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return
  const { type } = node as AST.BaseNode
  if (type === 'Text') {
    const text = (node as AST.Text).data.trim()
    // An example of one word is what a machine reads.
    if (attribute === 'placeholder' && !/\s/.test(text)) return
    if (hasWords(text) && (attribute === '' || SPOKEN.has(attribute)) && !NEUTRAL.test(text)) found.push(text)
    return
  }
  if (type === 'Literal' && SPOKEN.has(attribute)) {
    const { value } = node as unknown as { value: unknown }
    if (typeof value === 'string' && / /.test(value) && hasWords(value) && !NEUTRAL.test(value)) found.push(value)
    return
  }
  if (type === 'CallExpression') return
  const inside = type === 'Attribute' ? (node as AST.Attribute).name : attribute
  for (const [name, value] of Object.entries(node)) {
    if (['css', 'instance', 'module', 'options', 'loc', 'comments'].includes(name)) continue
    spoken(value, found, inside)
  }
}

test('no text stands in a component', () => {
  const all = sources.filter((one) => one.name.endsWith('.svelte')).flatMap(({ name, text }) => {
    const found: string[] = []
    spoken(parse(text, { modern: true }).fragment, found)
    return found.map((one) => `${name}: ${one}`)
  })
  expect(all).toEqual([])
})

test('the test for such texts finds them', () => {
  const found: string[] = []
  spoken(parse('<p>Some words</p><img alt="More words" class="of no language"><B text={"even these"} />', { modern: true }).fragment, found)
  expect(found).toEqual(['Some words', 'More words', 'even these'])
})

test('one and many are told apart, and numbers are written as the language does', () => {
  expect(format('{n} tag | {n} tags', { n: 1 }, 'en')).toBe('1 tag')
  expect(format('{n} tag | {n} tags', { n: 12345 }, 'en')).toBe('12,345 tags')
  expect(format('{n} 个标签', { n: 1 }, 'zh-CN')).toBe('1 个标签')
  expect(format('a {b} {c}', { b: '{c}' }, 'en')).toBe('a {c} {c}')
})
