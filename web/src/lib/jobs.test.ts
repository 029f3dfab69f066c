import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { NAMED, nextMoments, readCron, rhythm, scheduleOf, typeOf } from './cron'
import { EVERY, repeat } from './repeat'
import { count, facts, isGoing } from './runs'
import { fromBytes, LARGEST, toBytes } from './sizes'

test('moments are foretold as the server finds them', () => {
  // The server's own table; a Thursday.
  const after = new Date('2026-11-26T15:59:30Z')
  for (const [cron, expected] of [
    ['0 * * * * *', '2026-11-26T16:00'],
    ['0 0 * * * *', '2026-11-26T16:00'],
    ['0 0 0 * * *', '2026-11-27T00:00'],
    ['0 0 0 * * 0', '2026-11-29T00:00'],
    ['0 0 0 * * 7', '2026-11-29T00:00'],
    ['0 0 0 * * SUN', '2026-11-29T00:00'],
    ['0 0 0 * * 1-5', '2026-11-27T00:00'],
    ['0 0/20 8-10 * * ?', '2026-11-27T08:00'],
    ['0 */7 * ? * *', '2026-11-26T16:00'],
    ['0 0 0 1 jan *', '2027-01-01T00:00'],
    ['0 0 0 29 2 *', '2028-02-29T00:00'],
    ['0 0 12 13 * 5', '2026-11-27T12:00'],
    ['  0   30 4 1,15 *   * ', '2026-12-01T04:30'],
  ] as const) {
    expect(nextMoments(readCron(cron)!, after)[0]?.toISOString().slice(0, 16), cron).toBe(expected)
  }
  const hour = nextMoments(readCron('0 0 * * * *')!, new Date('2026-11-26T16:00:00Z'), 3)
  expect(hour.map((one) => one.toISOString().slice(11, 16))).toEqual(['17:00', '18:00', '19:00'])
  expect(nextMoments(readCron('0 0 0 31 2 *')!, after)).toEqual([])
})

test('what cannot be foretold is left to the server', () => {
  for (const cron of ['', '   ', '0 0 * * *', '0 0 0 * * * 2030', '@daily', '* * * * * *', '*/5 * * * * *', '0 60 * * * *', '0 0 24 * * *', '0 0 0 0 * *', '0 0 0 * 13 *', '0 5-1 * * * *', '0 */0 * * * *', '0 x * * * *', '0 0 0 L * *', '0 0 0 * * 5#2', '0 1-2-3 * * * *', '0 1/2/3 * * * *', '0 , * * * *', '0 -1 * * * *'])
    expect(readCron(cron), cron).toBeUndefined()
})

test('a pattern is said in a few words where it can be', () => {
  const said = (cron: string) => rhythm(readCron(cron)!)
  expect(said('0 * * * * *')).toEqual({ kind: 'minutes', every: 1 })
  expect(said('0 */15 * * * *')).toEqual({ kind: 'minutes', every: 15 })
  expect(said('0 */7 * * * *')).toBeUndefined()
  expect(said('0 5 * * * ?')).toEqual({ kind: 'hourly', minute: 5 })
  expect(said(NAMED.Daily)).toEqual({ kind: 'daily', hour: 0, minute: 0, days: [] })
  expect(said('0 30 2 * * SUN,MON-WED')).toEqual({ kind: 'weekly', hour: 2, minute: 30, days: [1, 2, 3, 0] })
  expect(said('0 30 2 1,15 * *')).toEqual({ kind: 'monthly', hour: 2, minute: 30, days: [1, 15] })
  for (const other of ['0 0 0 1 1 *', '0 0 0 13 * 5', '0 0 1,2 * * *', '0 1,2 3 * * *']) expect(said(other), other).toBeUndefined()
})

test('a schedule is called as Harbor calls it', () => {
  expect(scheduleOf('')).toEqual({ type: 'None' })
  expect(scheduleOf('0 0 0 * * *')).toEqual({ type: 'Daily', cron: '0 0 0 * * *' })
  expect(scheduleOf('0 0 3 * * *')).toEqual({ type: 'Custom', cron: '0 0 3 * * *' })
  expect([typeOf(' 0  0 * * * *'), typeOf('0 0 0 * * 0'), typeOf(' ')]).toEqual(['Hourly', 'Weekly', 'Custom'])
})

test('a size is entered and shown in the same unit', () => {
  for (const [bytes, text, unit] of [[1, '1', 'B'], [1000, '1000', 'B'], [1024, '1', 'KiB'], [1536 * 1024 ** 2, '1536', 'MiB'], [10 * 1024 ** 3, '10', 'GiB'], [LARGEST, '1024', 'TiB']] as const) {
    expect(fromBytes(bytes)).toEqual({ text, unit })
    expect(toBytes(text, unit)).toBe(bytes)
  }
  expect(toBytes(' 1,5 ', 'GiB')).toBe(1.5 * 1024 ** 3)
  expect(toBytes('0.5', 'KiB')).toBe(512)
  for (const text of ['', '0', '-1', '1e3', 'x', '1.2.3', '1025', '0.1.', '99999999999999999']) expect(toBytes(text, 'TiB'), text).toBeUndefined()
})

test('what a run tells of itself is read, whatever it is', () => {
  expect(facts('{"freed_space":5,"dry_run":true}')).toEqual({ freed_space: 5, dry_run: true })
  for (const text of ['', 'null', '[]', '5', '{']) expect(facts(text)).toEqual({})
  expect(count({ a: 5, b: '5', c: Number.NaN }, 'a')).toBe(5)
  expect([count({ b: '5' }, 'b'), count({}, 'c')]).toEqual([undefined, undefined])
  expect(['Pending', 'Scheduled', 'Running', 'Stopped', 'Error', 'Success'].filter(isGoing)).toEqual(['Pending', 'Scheduled', 'Running'])
})

describe('asking again', () => {
  beforeEach(() => vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())

  test('goes on until it is ended, and never asks twice at a time', async () => {
    let [asked, answer] = [0, () => {}]
    const end = repeat(() => {
      asked += 1
      return new Promise((done) => (answer = () => done(true)))
    })
    await vi.advanceTimersByTimeAsync(EVERY - 1)
    expect(asked).toBe(0)
    await vi.advanceTimersByTimeAsync(10 * EVERY)
    expect(asked).toBe(1)
    answer()
    await vi.advanceTimersByTimeAsync(EVERY)
    expect(asked).toBe(2)
    end()
    answer()
    await vi.advanceTimersByTimeAsync(10 * EVERY)
    expect(asked).toBe(2)
  })

  test('waits longer each time that it fails', async () => {
    const at: number[] = []
    const began = Date.now()
    const end = repeat(async () => {
      at.push((Date.now() - began) / EVERY)
      return at.length > 2
    })
    await vi.advanceTimersByTimeAsync(9 * EVERY)
    end()
    expect(at).toEqual([1, 3, 7, 8, 9])
  })
})
