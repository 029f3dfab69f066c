import type { Schedule } from '../../api/client'
import { count, facts } from '../../lib/runs'

/** What a purge is to take. */
export interface Plan {
  /** How long entries are kept, in hours; undefined while what is entered can be none. */
  hours: number | undefined
  /** The events that go: their names, or `other` for all that have no name here. */
  events: string[]
}

/** What Harbor purges by name; `other` is everything else. */
export const EVENTS = ['create_artifact', 'delete_artifact', 'pull_artifact', 'other']

/** The longest that the server keeps entries before they are purged: 240,000 hours. */
export const LONGEST = 240_000

/** What a run or a schedule takes; what a new one takes unless somebody chooses: what is older than 90 days. */
export function planOf(parameters: string | undefined): Plan {
  if (parameters === undefined) return { hours: 90 * 24, events: EVENTS }
  const found = facts(parameters)
  const events = found.include_event_types ?? found.include_operations
  return { hours: count(found, 'audit_retention_hour'), events: typeof events === 'string' ? events.split(',').map((name) => name.trim()).filter(Boolean) : [] }
}

/** A plan as the server takes it. What an older client named as operations stays that. */
export function parametersOf(plan: Plan, dry_run: boolean): NonNullable<Schedule['parameters']> {
  const operations = plan.events.some((name) => name !== 'other' && !name.includes('_'))
  const parameters = { audit_retention_hour: plan.hours, [operations ? 'include_operations' : 'include_event_types']: plan.events.join(','), dry_run }
  return parameters as unknown as NonNullable<Schedule['parameters']>
}

/** How many hours a number of hours or days is; nothing where that can be none. */
export function hoursOf(text: string, unit: 'hours' | 'days'): number | undefined {
  if (!/^\d{1,6}$/.test(text.trim())) return undefined
  const hours = Number(text) * (unit === 'days' ? 24 : 1)
  return hours >= 1 && hours <= LONGEST ? hours : undefined
}
