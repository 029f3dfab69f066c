// What the charts of the first page draw: how much was pushed, pulled and stored, by the hour
// or by days of the reader's own time.

import { byDay } from '../../lib/chart'

export const RANGES = ['24h', '7d', '30d'] as const
export type Range = (typeof RANGES)[number]

/** The time span that an address names. */
export function readRange(text: string | null): Range {
  return RANGES.find((range) => range === text) ?? '7d'
}

const HOUR = 3_600_000

/** When a span begins that ends now: at a whole hour, or at midnight. */
export function beginning(range: Range, now: Date): Date {
  if (range === '30d') return new Date(now.getFullYear(), now.getMonth(), now.getDate() - 29)
  const hours = range === '24h' ? 24 : 7 * 24
  return new Date((Math.floor(now.getTime() / HOUR) - hours + 1) * HOUR)
}

/** What happened in an hour, as the server tells it; of all projects also what is stored. */
export interface Hour {
  from: string
  pushes: number
  pulls: number
  stored?: number
}

export interface Part {
  at: Date
  pushes: number
  pulls: number
  /** At its end. */
  stored: number
}

/** The parts that are drawn. */
export function parts(range: Range, hours: Hour[]): Part[] {
  const all = hours.map(({ from, pushes, pulls, stored }) => ({ at: new Date(from), pushes, pulls, stored: stored ?? 0 }))
  if (range !== '30d') return all
  return byDay(all, (sum, part) => ({ at: sum.at, pushes: sum.pushes + part.pushes, pulls: sum.pulls + part.pulls, stored: part.stored }))
}
