// When schedules fire: cron with Harbor's six fields, in UTC. The server decides what a pattern
// means and whether it is one; this foretells those that people write, and says nothing of others.

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']
/** For how many days a moment is looked for: the 29th of February comes every eighth year at the latest. */
const FARTHEST = 8 * 366
const DAY = 86_400_000

interface Field {
  values: Set<number>
  /** Whether it says nothing: `*` or `?`. */
  any: boolean
}

export interface Cron {
  minutes: Field
  hours: Field
  days: Field
  months: Field
  weekdays: Field
}

function field(text: string, first: number, last: number, names: string[] = [], named = 0): Field | undefined {
  const one = (word: string) => {
    const at = names.indexOf(word.toUpperCase())
    if (at >= 0) return at + named
    const value = /^\d{1,2}$/.test(word) ? Number(word) : Number.NaN
    return value >= first && value <= last ? value : undefined
  }
  const values = new Set<number>()
  for (const part of text.split(',')) {
    const [range = '', step, more] = part.split('/')
    const by = step === undefined ? 1 : /^\d{1,2}$/.test(step) ? Number(step) : 0
    if (more !== undefined || by < 1 || by > last) return undefined
    let [from, to]: (number | undefined)[] = [first, last]
    if (range !== '*' && range !== '?') {
      const [low = '', high, other] = range.split('-')
      if (other !== undefined) return undefined
      from = one(low)
      to = high === undefined ? (step === undefined ? from : last) : one(high)
    }
    if (from === undefined || to === undefined || from > to) return undefined
    for (let value = from; value <= to; value += by) values.add(value)
  }
  return { values, any: text === '*' || text === '?' }
}

/** Reads a pattern, if it is one of those that can be foretold here. */
export function readCron(text: string): Cron | undefined {
  const [second, ...words] = text.trim().split(/\s+/)
  if (second !== '0' || words.length !== 5) return undefined
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = words
  const minutes = field(minute, 0, 59)
  const hours = field(hour, 0, 23)
  const days = field(day, 1, 31)
  const months = field(month, 1, 12, MONTHS, 1)
  const weekdays = field(weekday, 0, 7, DAYS)
  if (!minutes || !hours || !days || !months || !weekdays) return undefined
  if (weekdays.values.delete(7)) weekdays.values.add(0)
  return { minutes, hours, days, months, weekdays }
}

/** Days of the month and of the week are alternatives where both are said. */
function isDay(cron: Cron, date: Date): boolean {
  if (!cron.months.values.has(date.getUTCMonth() + 1)) return false
  const inMonth = cron.days.values.has(date.getUTCDate())
  const inWeek = cron.weekdays.values.has(date.getUTCDay())
  return cron.days.any || cron.weekdays.any ? inMonth && inWeek : inMonth || inWeek
}

/** The next moments after another one. */
export function nextMoments(cron: Cron, after: Date, how = 1): Date[] {
  const found: Date[] = []
  const midnight = Math.floor(after.getTime() / DAY) * DAY
  const sorted = (values: Set<number>) => [...values].sort((a, b) => a - b)
  const [hours, minutes] = [sorted(cron.hours.values), sorted(cron.minutes.values)]
  for (let day = 0; day < FARTHEST; day += 1) {
    const date = new Date(midnight + day * DAY)
    if (!isDay(cron, date)) continue
    for (const hour of hours) {
      for (const minute of minutes) {
        const moment = date.getTime() + (hour * 60 + minute) * 60_000
        if (moment <= after.getTime()) continue
        found.push(new Date(moment))
        if (found.length === how) return found
      }
    }
  }
  return found
}

/** What a pattern says, where it is said in a few words. */
export type Rhythm =
  | { kind: 'minutes'; every: number }
  | { kind: 'hourly'; minute: number }
  | { kind: 'daily' | 'weekly' | 'monthly'; hour: number; minute: number; days: number[] }

export function rhythm(cron: Cron): Rhythm | undefined {
  const { minutes, hours, days, months, weekdays } = cron
  const only = ({ values }: Field) => (values.size === 1 ? [...values][0] : undefined)
  const isAlways = (own: Field, size: number) => own.any || own.values.size === size
  if (!isAlways(months, 12)) return undefined
  const everyDay = isAlways(days, 31) && isAlways(weekdays, 7)
  const minute = only(minutes)
  if (everyDay && isAlways(hours, 24)) {
    if (minute !== undefined) return { kind: 'hourly', minute }
    const every = 60 / minutes.values.size
    const isEven = Number.isInteger(every) && [...minutes.values].every((value) => value % every === 0)
    return isEven ? { kind: 'minutes', every } : undefined
  }
  const hour = only(hours)
  if (minute === undefined || hour === undefined) return undefined
  if (everyDay) return { kind: 'daily', hour, minute, days: [] }
  if (isAlways(days, 31)) return { kind: 'weekly', hour, minute, days: [...weekdays.values].sort((a, b) => ((a + 6) % 7) - ((b + 6) % 7)) }
  if (isAlways(weekdays, 7)) return { kind: 'monthly', hour, minute, days: [...days.values].sort((a, b) => a - b) }
  return undefined
}

/** How Harbor calls a schedule, and the pattern that goes with each name. */
export const NAMED = { Hourly: '0 0 * * * *', Daily: '0 0 0 * * *', Weekly: '0 0 0 * * 0' } as const
export type ScheduleType = 'None' | keyof typeof NAMED | 'Custom'

/** The name of a schedule by its pattern; nothing means that there is none. */
export function typeOf(cron: string): ScheduleType {
  if (cron === '') return 'None'
  const found = Object.entries(NAMED).find(([, own]) => own === cron.trim().replace(/\s+/g, ' '))
  return found ? (found[0] as keyof typeof NAMED) : 'Custom'
}

/** A schedule as the server takes it. */
export function scheduleOf(cron: string): { type: ScheduleType; cron?: string } {
  return cron === '' ? { type: 'None' } : { type: typeOf(cron), cron }
}
