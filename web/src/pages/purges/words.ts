import { t } from '../../lib/i18n.svelte'
import { duration } from '../../lib/schedules'
import * as events from '../audit/events'

/** The name of what is purged: an event, all others, or an operation as older clients named it. */
export function eventName(name: string): string {
  return name === 'other' ? t('purge.other') : events.eventName(name)
}

/** How long entries are kept. */
export function age(hours: number | undefined): string {
  return hours === undefined ? '' : duration(hours * 3600)
}
