import { expect, test } from 'vitest'
import { fullness } from './storage'

test('a project is told of when it is nearly full', () => {
  for (const [used, hard, expected] of [
    [0, -1, 'free'],
    [10 ** 12, -1, 'free'],
    [84, 100, 'free'],
    [85, 100, 'nearly'],
    [99, 100, 'nearly'],
    [100, 100, 'full'],
    [200, 100, 'full'],
  ] as const) {
    expect(fullness(used, hard), `${used} of ${hard}`).toBe(expected)
  }
})
