/** From which share of its limit on a project is told of, as its events tell it. */
const NEARLY = 0.85

export type Fullness = 'free' | 'nearly' | 'full'

/** Whether what a project stores is near its limit, which is -1 for none. */
export function fullness(used: number, hard: number): Fullness {
  if (hard <= 0) return 'free'
  if (used >= hard) return 'full'
  return used >= NEARLY * hard ? 'nearly' : 'free'
}
