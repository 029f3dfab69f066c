// What charts are drawn by: round numbers for their axes, and where a reader points to.

/** What charts count by: things by tens, bytes by 1,024. */
export type Base = 10 | 1024

const FACTORS: Record<Base, number[]> = {
  10: [1, 2, 5, 10],
  1024: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
}

/**
 * Round whole numbers from 0 to the largest value or just above it, as evenly far from each
 * other as they can be when there are to be at most so many steps.
 */
export function ticks(largest: number, most: number, base: Base = 10): number[] {
  if (!(largest > 0)) return [0, 1]
  const rough = Math.max(1, largest / most)
  let power = 1
  while (power * base <= rough) power *= base
  const step = power * (FACTORS[base].find((factor) => power * factor >= rough * (1 - 1e-9)) ?? base)
  const count = Math.ceil(largest / step - 1e-9)
  return Array.from({ length: count + 1 }, (_, i) => i * step)
}

const MINUTE = 60_000
const DAY = 1440 * MINUTE

/** What a mark on the axis of time says: an hour of a day, a day, a month or a year. */
export type Grain = 'hour' | 'day' | 'month' | 'year'

interface Step {
  grain: Grain
  length: number
  /** The last mark at or before a moment. */
  floor: (at: Date) => Date
  next: (at: Date) => Date
}

function minutes(n: number): Step {
  return {
    grain: 'hour',
    length: n * MINUTE,
    floor: (at) => new Date(at.getFullYear(), at.getMonth(), at.getDate(), at.getHours() - (n > 60 ? at.getHours() % (n / 60) : 0), n < 60 ? at.getMinutes() - (at.getMinutes() % n) : 0),
    next: (at) => new Date(at.getTime() + n * MINUTE),
  }
}
function days(n: number): Step {
  return {
    grain: 'day',
    length: n * DAY,
    floor: (at) => new Date(at.getFullYear(), at.getMonth(), at.getDate()),
    next: (at) => new Date(at.getFullYear(), at.getMonth(), at.getDate() + n),
  }
}
function months(n: number): Step {
  return {
    grain: n < 12 ? 'month' : 'year',
    length: n * 30.4 * DAY,
    floor: (at) => new Date(at.getFullYear(), at.getMonth() - (at.getMonth() % n), 1),
    next: (at) => new Date(at.getFullYear(), at.getMonth() + n, 1),
  }
}

const STEPS: Step[] = [
  ...[1, 5, 15, 30, 60, 180, 360, 720].map(minutes),
  ...[1, 2, 4, 7, 14].map(days),
  ...[1, 3, 6, 12, 24, 60, 120].map(months),
]

/** Round moments of the reader's own time between two, at most so many but for one. */
export function timeTicks(from: Date, to: Date, most: number): { at: Date; grain: Grain }[] {
  const span = to.getTime() - from.getTime()
  const step = STEPS.find((one) => span / one.length <= most) ?? months(12 * Math.ceil(span / (365 * DAY * most)))
  const found: { at: Date; grain: Grain }[] = []
  for (let at = step.floor(from); at <= to; at = step.next(at)) {
    if (at < from) continue
    const isDay = step.grain === 'hour' && at.getHours() === 0 && at.getMinutes() === 0
    found.push({ at, grain: isDay ? 'day' : step.grain })
  }
  return found
}

/** Which of some sorted numbers is nearest to one. */
export function nearest(sorted: number[], value: number): number {
  let [low, high] = [0, sorted.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? 0) < value) low = middle + 1
    else high = middle
  }
  const before = sorted[low - 1]
  return before !== undefined && value - before < (sorted[low] ?? Infinity) - value ? low - 1 : low
}

/** Adds up what was counted by the hour, by days of the reader's own time. */
export function byDay<T extends { at: Date }>(parts: T[], add: (sum: T, part: T) => T): T[] {
  const found = new Map<number, T>()
  for (const part of parts) {
    const day = new Date(part.at.getFullYear(), part.at.getMonth(), part.at.getDate())
    const sum = found.get(day.getTime())
    found.set(day.getTime(), sum ? add(sum, part) : { ...part, at: day })
  }
  return [...found.values()]
}
