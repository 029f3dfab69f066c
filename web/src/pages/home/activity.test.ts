import { expect, test } from 'vitest'
import { beginning, parts, readRange } from './activity'

test('a span is what the address says, or a week', () => {
  expect(['24h', '7d', '30d'].map(readRange)).toEqual(['24h', '7d', '30d'])
  for (const other of [null, '', '1y', '30D']) expect(readRange(other)).toBe('7d')
})

test('a span has as many hours as it says, and days from midnight', () => {
  const now = new Date(2026, 10, 26, 15, 7, 3)
  expect((now.getTime() - beginning('24h', now).getTime()) / 3_600_000).toBeCloseTo(23 + 7 / 60, 1)
  expect((now.getTime() - beginning('7d', now).getTime()) / 3_600_000).toBeCloseTo(167 + 7 / 60, 1)
  expect(beginning('30d', now)).toEqual(new Date(2026, 9, 28))
})

test('hours are drawn as they are, or added up to days', () => {
  const hours = Array.from({ length: 26 }, (_, i) => ({ from: new Date(2026, 10, 25, i).toISOString(), pushes: 1, pulls: 2, stored: 100 + i }))
  expect(parts('24h', hours)).toHaveLength(26)
  expect(parts('30d', hours)).toEqual([
    { at: new Date(2026, 10, 25), pushes: 24, pulls: 48, stored: 123 },
    { at: new Date(2026, 10, 26), pushes: 2, pulls: 4, stored: 125 },
  ])
  expect(parts('7d', [{ from: '2026-11-26T00:00:00.000Z', pushes: 1, pulls: 0 }])[0]?.stored).toBe(0)
})
