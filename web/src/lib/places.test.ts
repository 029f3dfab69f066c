import { expect, test } from 'vitest'
import { Places } from './places'

test('a page that is turned to takes the places of the one before', () => {
  const places = new Places()
  const first = places.of(['a', 'b', 'c'], '1')
  expect(new Set(first).size).toBe(3)
  expect(places.of(['d', 'e'], '2')).toEqual(first.slice(0, 2))
  const third = places.of(['f', 'g', 'h'], '3')
  expect(third.slice(0, 2)).toEqual(first.slice(0, 2))
  expect(new Set(third).size).toBe(3)
  // What moved from one page to the other is a row like any other.
  expect(places.of(['h', 'i', 'f'], '4')).toEqual(third)
})

test('a row that stays on its page keeps its place', () => {
  const places = new Places()
  const [a, b, c] = places.of(['a', 'b', 'c'], '1')
  const [fresh, ...rest] = places.of(['new', 'a', 'c'], '1')
  expect(rest).toEqual([a, c])
  expect([a, b, c]).not.toContain(fresh)
  // One that comes back is a row of its own, and turning goes on from what is there.
  const back = places.of(['b', 'new', 'a', 'c'], '1')
  expect(back.slice(1)).toEqual([fresh, a, c])
  expect(new Set(back).size).toBe(4)
  expect(places.of(['x', 'y'], '2')).toEqual(back.slice(0, 2))
})
