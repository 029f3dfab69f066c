// How moments are written: as somebody chose, by the language of the portal.

import { now } from './clock'
import { t, words } from './i18n.svelte'
import { days, distances, moments, times, weekdays, zones } from './written'

/** How long ago it was; day and time as the language writes them; ISO 8601. */
export const DATE_FORMATS = ['ago', 'locale', 'iso'] as const
export type DateFormat = (typeof DATE_FORMATS)[number]

const KEPT = 'haven.dates'

class Dates {
  format = $state<DateFormat>('ago')
}

export const dates = new Dates()

export function loadDates() {
  const kept = localStorage.getItem(KEPT)
  dates.format = DATE_FORMATS.find((one) => one === kept) ?? 'ago'
}

export function chooseDates(format: DateFormat) {
  dates.format = format
  if (format === 'ago') localStorage.removeItem(KEPT)
  else localStorage.setItem(KEPT, format)
}

/** Whether a moment is one: the server writes the year 1 for "never". */
export function happened(moment: string | null | undefined): moment is string {
  return !!moment && !moment.startsWith('0001-') && !Number.isNaN(Date.parse(moment))
}

const two = (value: number) => String(value).padStart(2, '0')
const isoDay = (at: Date) => `${String(at.getFullYear()).padStart(4, '0')}-${two(at.getMonth() + 1)}-${two(at.getDate())}`

/** By ISO 8601, as the reader's clock shows it and how far that is from UTC. */
function iso(at: Date): string {
  const east = -at.getTimezoneOffset()
  const zone = `${east < 0 ? '-' : '+'}${two(Math.floor(Math.abs(east) / 60))}:${two(Math.abs(east) % 60)}`
  return `${isoDay(at)}T${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}${zone}`
}

/** The day and the time of a moment. */
export function date(moment: string | null | undefined): string {
  if (!happened(moment)) return '–'
  const at = new Date(moment)
  return dates.format === 'iso' ? iso(at) : moments(words.locale).format(at)
}

/** A day alone. */
export function day(at: Date): string {
  return dates.format === 'iso' ? isoDay(at) : days(words.locale).format(at)
}

/** A moment with its day of the week and its time zone. */
export function appointment(at: Date): string {
  if (dates.format === 'iso') return iso(at)
  const day = weekdays(words.locale).format(at)
  const time = times(words.locale).format(at)
  // Chinese dates would have the zone between the day and the time.
  const zone = zones(words.locale).formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value
  return [day, time, zone].filter(Boolean).join(' ')
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
]

/** How long ago something was, or in how long it will be. */
export function ago(moment: string | null | undefined): string {
  if (!happened(moment)) return '–'
  const seconds = (Date.parse(moment) - now()) / 1000
  for (const [unit, length] of STEPS) {
    if (Math.abs(seconds) >= length) return distances(words.locale).format(Math.trunc(seconds / length), unit)
  }
  return t('time.now')
}

/** A moment as somebody chose to see moments. */
export function when(moment: string | null | undefined): string {
  return dates.format === 'ago' ? ago(moment) : date(moment)
}
