import { named, t } from '../../lib/i18n.svelte'
import { duration } from '../../lib/schedules'

/** The name of what is purged: an event, all others, or an operation as older clients named it. */
export function eventName(name: string): string {
  if (name === 'other') return t('purge.other')
  const at = name.indexOf('_')
  if (at < 0) return named('operation', name)
  return `${named('auditType', name.slice(at + 1))}: ${named('operation', name.slice(0, at))}`
}

/** How long entries are kept. */
export function age(hours: number | undefined): string {
  return hours === undefined ? '' : duration(hours * 3600)
}
