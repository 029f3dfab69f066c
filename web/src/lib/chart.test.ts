import { expect, test } from 'vitest'
import { byDay, nearest, ticks, timeTicks } from './chart'

test('an axis has round numbers and reaches the largest value', () => {
  expect(ticks(0, 4)).toEqual([0, 1])
  expect(ticks(Number.NaN, 4)).toEqual([0, 1])
  expect(ticks(1, 4)).toEqual([0, 1])
  expect(ticks(3, 4)).toEqual([0, 1, 2, 3])
  expect(ticks(7, 4)).toEqual([0, 2, 4, 6, 8])
  expect(ticks(97, 4)).toEqual([0, 50, 100])
  expect(ticks(400, 4)).toEqual([0, 100, 200, 300, 400])
  expect(ticks(123_456, 4)).toEqual([0, 50_000, 100_000, 150_000])
})

test('an axis of bytes has numbers that are round in their units', () => {
  const [KiB, GiB] = [1024, 1024 ** 3]
  expect(ticks(3, 4, 1024)).toEqual([0, 1, 2, 3])
  expect(ticks(3000, 4, 1024)).toEqual([0, KiB, 2 * KiB, 3 * KiB])
  expect(ticks(100 * GiB, 4, 1024)).toEqual([0, 32, 64, 96, 128].map((n) => n * GiB))
  expect(ticks(3000 * GiB, 4, 1024)).toEqual([0, 1024, 2048, 3072].map((n) => n * GiB))
})

test('every axis is short, and no value lies beyond it', () => {
  for (const base of [10, 1024] as const) {
    for (let largest = 1; largest < 1e15; largest = Math.ceil(largest * 1.7)) {
      const found = ticks(largest, 4, base)
      expect(found.length, `${largest}`).toBeLessThanOrEqual(5)
      expect(found.at(-1), `${largest}`).toBeGreaterThanOrEqual(largest)
      expect(found.every(Number.isSafeInteger), `${largest}`).toBe(true)
    }
  }
})

test('an axis of time has hours, days, months or years of the own time', () => {
  const marks = (from: Date, to: Date) => timeTicks(from, to, 6).map(({ at, grain }) => [at.getMonth() + 1, at.getDate(), at.getHours(), grain])
  expect(marks(new Date(2026, 10, 25, 15), new Date(2026, 10, 26, 15))).toEqual([
    [11, 25, 18, 'hour'],
    [11, 26, 0, 'day'],
    [11, 26, 6, 'hour'],
    [11, 26, 12, 'hour'],
  ])
  expect(marks(new Date(2026, 10, 1, 5), new Date(2026, 10, 6, 5)).map(([, day]) => day)).toEqual([2, 3, 4, 5, 6])
  expect(marks(new Date(2026, 0, 15), new Date(2026, 5, 2)).map(([month]) => month)).toEqual([2, 3, 4, 5, 6])
  expect(marks(new Date(2016, 5, 1), new Date(2026, 5, 1)).every(([month, , , grain]) => month === 1 && grain === 'year')).toBe(true)
  for (let span = 60_000; span < 1e13; span *= 1.9) {
    const to = new Date(2026, 10, 26, 15, 7)
    const found = timeTicks(new Date(to.getTime() - span), to, 6)
    expect(found.length, `${span}`).toBeLessThanOrEqual(7)
  }
  const now = new Date(2026, 10, 26, 15, 7)
  expect(timeTicks(now, now, 6).length).toBeLessThanOrEqual(1)
})

test('what is pointed to is what is nearest', () => {
  const sorted = [0, 10, 20, 100]
  expect([-5, 0, 4, 6, 15.1, 59, 61, 1000].map((value) => sorted[nearest(sorted, value)])).toEqual([0, 0, 0, 10, 20, 20, 100, 100])
  expect(nearest([7], 3)).toBe(0)
})

test('hours are added up to days of the own time', () => {
  const hours = Array.from({ length: 30 }, (_, i) => ({ at: new Date(2026, 10, 25, i), count: 1, last: i }))
  const days = byDay(hours, (sum, part) => ({ ...sum, count: sum.count + part.count, last: part.last }))
  expect(days.map(({ at, count, last }) => [at.getDate(), at.getHours(), count, last])).toEqual([
    [25, 0, 24, 23],
    [26, 0, 6, 29],
  ])
})
