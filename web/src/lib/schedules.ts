// Schedules in words.

import { readCron, rhythm } from './cron'
import { number, t, words } from './i18n.svelte'
import { lists, spans } from './written'

/** What a pattern says; the pattern itself where that takes more than a few words. */
export function inWords(cron: string): string {
  const read = readCron(cron)
  const found = read && rhythm(read)
  if (!found) return cron
  if (found.kind === 'minutes') return t('schedule.everyMinutes', { n: found.every })
  const two = (value: number) => String(value).padStart(2, '0')
  if (found.kind === 'hourly') return t('schedule.everyHour', { minute: two(found.minute) })
  const time = `${two(found.hour)}:${two(found.minute)}`
  if (found.kind === 'daily') return t('schedule.everyDay', { time })
  const all = (names: string[]) => lists(words.locale).format(names)
  if (found.kind === 'weekly') {
    const name = new Intl.DateTimeFormat(words.locale, { weekday: found.days.length > 1 ? 'short' : 'long', timeZone: 'UTC' })
    // The 4th of January 1970 was a Sunday.
    return t('schedule.everyWeek', { days: all(found.days.map((day) => name.format(new Date(Date.UTC(1970, 0, 4 + day))))), time })
  }
  return t('schedule.everyMonth', { days: all(found.days.map((day) => number(day))), time })
}

/** How long something took. */
export function lasted(from: string, to: string): string {
  const seconds = Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000)
  return Number.isNaN(seconds) ? '' : duration(seconds)
}

/** A span of time, by its two largest units. */
export function duration(seconds: number): string {
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60]
  const unit = (value: number, name: string) => spans(words.locale)(name).format(value)
  const join = (...parts: (string | false)[]) => parts.filter(Boolean).join(' ')
  if (days > 0) return join(unit(days, 'day'), hours > 0 && unit(hours, 'hour'))
  if (hours > 0) return join(unit(hours, 'hour'), minutes > 0 && unit(minutes, 'minute'))
  if (minutes > 0) return join(unit(minutes, 'minute'), seconds % 60 >= 1 && unit(Math.floor(seconds % 60), 'second'))
  if (seconds > 0 && seconds < 1) return unit(Math.ceil(seconds * 1000), 'millisecond')
  return unit(seconds < 10 ? seconds : Math.round(seconds), 'second')
}
