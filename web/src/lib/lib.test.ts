import { beforeAll, expect, test, vi } from 'vitest'
import { Failure } from '../api/failure'
import { parseBanner, readBanner } from './banner'
import { now, setClock } from './clock'
import { toCsv } from './csv'
import { date, dates, day, when } from './dates.svelte'
import { removeEach } from './each'
import { unescaped } from './escaped'
import { ownKind } from './i18n.svelte'
import { readPatterns } from './patterns'
import { ownPath } from '../pages/sign_in/own_path'
import { isStrong } from '../pages/sign_in/password'
import { browser } from '../pages/profile/agent'
import { qr } from '../pages/profile/qr'

let router: typeof import('./router.svelte')
let list: typeof import('./list.svelte')
beforeAll(async () => {
  vi.stubGlobal('window', { location: { pathname: '/', search: '', origin: 'http://here' } })
  vi.stubGlobal('navigator', { languages: ['en-GB'] })
  vi.stubGlobal('localStorage', { getItem: () => null })
  router = await import('./router.svelte')
  list = await import('./list.svelte')
})

test('a path is taken apart and put together again', () => {
  const { match, path } = router
  expect(match('/projects/:name/:tab', '/projects/a%2Fb/members')).toEqual({ name: 'a/b', tab: 'members' })
  expect(match('/projects/:name', '/projects/a/')).toEqual({ name: 'a' })
  expect(match('/projects/:name', '/projects/a/b')).toBeUndefined()
  expect(match('/projects/:name', '/projects/')).toBeUndefined()
  expect(match('/projects/:name/*', '/projects/a/b/c')).toEqual({ name: 'a' })
  expect(match('/projects/:name', '/projects/%zz')).toBeUndefined()
  expect(path('projects', 'a/b', 'x?y')).toBe('/projects/a%2Fb/x%3Fy')
})

test('what is typed into a filter stays one term', () => {
  const { allOf, contains } = list
  expect(contains('name', ' a,b ')).toBe('name=~a%20b')
  expect(contains('name', '100%')).toBe('name=~100%25')
  expect(contains('name', ' , ')).toBeUndefined()
  expect(allOf(undefined, 'a=b', '', 'c=d')).toBe('a=b,c=d')
  expect(allOf(undefined)).toBeUndefined()
})

test('a file of values is read as it was meant', () => {
  expect(toCsv([['a', 'b,c', 'd"e', 'f\ng', '=1+1', -5, true, null]])).toBe('a,"b,c","d""e","f\ng",\'=1+1,-5,true,\r\n')
})

test("dates are written as in the browser's own kind of the language", () => {
  expect(ownKind('en', ['de-AT', 'en-GB', 'en-US'])).toBe('en-GB')
  expect(ownKind('zh-CN', ['en-GB', 'zh-Hans-SG'])).toBe('zh-Hans-SG')
  expect(ownKind('en', ['zh-CN'])).toBe('en')
  // Some browsers name what is no language.
  expect(ownKind('en', ['en-US@posix', 'en-IE'])).toBe('en-IE')
  expect(ownKind('zh-CN', [])).toBe('zh-CN')
})

test('moments are written as somebody chose', () => {
  // The words of the language are not read here: the key stands for them.
  const moment = '2026-03-29T11:30:15.123Z'
  for (const [format, shown] of [['ago', /^(?!2026)/], ['locale', /^29 Mar 2026/], ['iso', /^2026-03-29T\d\d:\d\d:15[+-]\d\d:\d\d$/]] as const) {
    dates.format = format
    expect(when(moment), format).toMatch(shown)
  }
  // The same moment, whatever clock the reader has.
  expect(Date.parse(date(moment))).toBe(Date.parse('2026-03-29T11:30:15Z'))
  expect(day(new Date(2026, 0, 5))).toBe('2026-01-05')
  for (const never of [undefined, null, '', '0001-01-01T00:00:00Z', 'soon']) expect(when(never)).toBe('–')
  dates.format = 'ago'
})

test('only own pages are gone back to', () => {
  for (const own of ['/projects', '/a?b=%2F', '/a//b']) expect(ownPath(own)).toBe(own)
  for (const other of [null, '', 'x', '//evil', '/\\evil', 'https://evil', '/\tevil', '/a\\b', '/ b', '/sign-in?x']) expect(ownPath(other)).toBe('/')
})

test('a password is judged as the server judges it', () => {
  for (const good of ['Some-Secret-1', 'aA345678']) expect(isStrong(good)).toBe(true)
  for (const bad of ['', 'aA34567', 'alllower1', 'ALLUPPER1', 'NoDigits', `aA1${'x'.repeat(126)}`]) expect(isStrong(bad)).toBe(false)
})

test('a banner is what Harbor keeps, or a text', () => {
  const at = (day: string) => new Date(`${day}T12:00:00Z`)
  const kept = JSON.stringify({ message: 'Down at noon', type: 'danger', closable: true, fromDate: '2026-11-20', toDate: '2026-11-26' })
  expect(readBanner(kept, at('2026-11-26'))?.type).toBe('danger')
  expect(readBanner(kept, at('2026-11-19'))).toBeUndefined()
  expect(readBanner(kept, at('2026-11-27'))).toBeUndefined()
  expect(parseBanner('plain words')?.message).toBe('plain words')
  for (const nothing of ['', ' ', '{}', '[]', 'null', '{"message":""}', '{"message":5}']) expect(parseBanner(nothing)).toBeUndefined()
  expect(parseBanner('{"message":"x","type":"loud","fromDate":"soon"}')).toMatchObject({ type: 'warning', fromDate: '' })
})

test('patterns are lines', () => {
  expect(readPatterns(' a/** \n\n b ')).toEqual(['a/**', 'b'])
  expect(readPatterns(' \n ')).toBeNull()
})

test('a browser is called by its name', () => {
  expect(browser('Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36')).toBe('Chrome, Linux')
  expect(browser('curl/8.5.0')).toBe('curl')
  expect(browser('')).toBe('')
})

test('a QR code says what it is asked to', () => {
  // Read back by following the rules the other way: no library, and no copy of the writer.
  for (const text of ['A', 'otpauth://totp/Haven:anna?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Haven&algorithm=SHA1&digits=6&period=30', 'x'.repeat(200)]) {
    expect(read(qr(text))).toBe(text)
  }
})

/** Reads a code whose blocks are whole: mask, zigzag, blocks, bytes. */
function read(code: boolean[][]): string {
  const size = code.length
  const version = (size - 17) / 4
  const bits = [0, 1, 2, 3, 4, 5, 7, 8].map((y) => code[y]![8]!).concat([7, 5, 4, 3, 2, 1, 0].map((x) => code[8]![x]!))
  const format = bits.reduce((value, dark, i) => value | (Number(dark) << i), 0) ^ 0x5412
  expect(format >> 13).toBe(1)
  const mask = (format >> 10) & 7
  const flips: ((x: number, y: number) => boolean)[] = [
    (x, y) => (x + y) % 2 === 0,
    (_, y) => y % 2 === 0,
    (x) => x % 3 === 0,
    (x, y) => (x + y) % 3 === 0,
    (x, y) => (Math.floor(y / 2) + Math.floor(x / 3)) % 2 === 0,
    (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
    (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
    (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
  ]
  const centres = version === 1 ? [] : version < 7 ? [6, size - 7] : [6, (size - 1) / 2, size - 7]
  const isFixed = (x: number, y: number) =>
    x === 6 || y === 6 || (x < 9 && y < 9) || (x > size - 9 && y < 9) || (x < 9 && y > size - 9) ||
    (version >= 7 && ((x > size - 12 && y < 6) || (y > size - 12 && x < 6))) ||
    centres.some((cx) => centres.some((cy) => Math.abs(x - cx) < 3 && Math.abs(y - cy) < 3 && !((cx === 6 && cy !== 6 && cy === size - 7) || (cy === 6 && cx === size - 7) || (cx === 6 && cy === 6))))
  const stream: number[] = []
  for (let right = size - 1, up = true; right > 0; right -= 2, up = !up) {
    if (right === 6) right = 5
    for (let i = 0; i < size; i += 1) {
      const y = up ? size - 1 - i : i
      for (const x of [right, right - 1]) if (!isFixed(x, y)) stream.push(Number(code[y]![x] !== flips[mask]!(x, y)))
    }
  }
  const byte = (list: number[], from: number) => list.slice(from, from + 8).reduce((value, bit) => value * 2 + bit, 0)
  const words = Array.from({ length: Math.floor(stream.length / 8) }, (_, i) => byte(stream, i * 8))
  // Up to version 5 there is one block; from 6 to 9 two of the same length.
  const blocks = version <= 5 ? 1 : 2
  const data = [19, 34, 55, 80, 108, 68, 78, 97, 116][version - 1]!
  const woven = words.slice(0, data * blocks)
  const straight = Array.from({ length: blocks }, (_, b) => woven.filter((_, i) => i % blocks === b)).flat()
  const all = straight.flatMap((word) => Array.from({ length: 8 }, (_, i) => (word >> (7 - i)) & 1))
  const length = byte(all, 4)
  return String.fromCharCode(...Array.from({ length }, (_, i) => byte(all, 12 + i * 8)))
}

test('a clock that is wrong by days is put right by what answers tell, and one that is nearly right is left alone', () => {
  const near = (moment: number) => Math.abs(now() - moment) < 10_000
  const later = Date.now() + 3 * 86_400_000
  setClock(new Date(later).toUTCString())
  expect(near(later)).toBe(true)
  setClock('nonsense')
  setClock(null)
  expect(near(later)).toBe(true)
  setClock(new Date(Date.now() - 5000).toUTCString())
  expect(near(Date.now())).toBe(true)
})

test('a description is shown as it was written', () => {
  expect(unescaped('&lt;b&gt; &amp;lt; &#34;a&#39; &copy;')).toBe('<b> &lt; "a\' &copy;')
  expect(unescaped(undefined)).toBe('')
})

test('what is gone already does not end a deletion; nor does what is refused, but a server that fails does', async () => {
  const asked: number[] = []
  const remove = (status: number) => {
    asked.push(status)
    return status === 200 ? Promise.resolve() : Promise.reject(new Failure(status, '', '', undefined))
  }
  await removeEach([404, 200], String, remove)
  await expect(removeEach([200, 500, 201], String, remove)).rejects.toMatchObject({ status: 500 })
  expect(asked).toEqual([404, 200, 200, 500])
  // What is refused holds up none of the others, and is told of at the end.
  asked.length = 0
  await expect(removeEach([412, 200, 403], String, remove)).rejects.toMatchObject({ all: 3, failed: [{ name: '412' }, { name: '403', failure: { status: 403 } }] })
  expect(asked).toEqual([412, 200, 403])
  await expect(removeEach([412], String, remove)).rejects.toMatchObject({ status: 412 })
})
