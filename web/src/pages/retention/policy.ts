// A project's policy: the server keeps all its rules as one thing.

import { api, ask, askMade, type RetentionPolicy, type RetentionRule } from '../../api/client'
import { Failure } from '../../api/failure'

/** What of a policy people change. */
export interface Said {
  rules: RetentionRule[]
  /** When it is run: six fields of cron in UTC; empty for never. */
  cron: string
}

export function said(policy: RetentionPolicy | undefined): Said {
  const cron: unknown = (policy?.trigger?.settings as Record<string, unknown> | undefined)?.cron
  return { rules: policy?.rules ?? [], cron: typeof cron === 'string' ? cron : '' }
}

/** When it is run next, if the server says so. */
export function nextOf(policy: RetentionPolicy | undefined): string | undefined {
  const next: unknown = (policy?.trigger?.settings as Record<string, unknown> | undefined)?.next_scheduled_time
  return typeof next === 'string' ? next : undefined
}

export function load(id: number, signal?: AbortSignal) {
  return ask(api.GET('/api/v2.0/retentions/{id}', { params: { path: { id } }, ...(signal ? { signal } : {}) }))
}

/**
 * Changes the policy that is shown, or makes the project's first. What somebody else changed
 * meanwhile is not overwritten.
 */
export async function save(project: number, shown: RetentionPolicy | undefined, change: Partial<Said>) {
  const next = { ...said(shown), ...change }
  const body = {
    id: shown?.id ?? 0,
    algorithm: 'or',
    rules: next.rules,
    trigger: { kind: 'Schedule', settings: { cron: next.cron } as unknown as Record<string, never>, references: {} },
    scope: { level: 'project', ref: project },
  }
  if (!shown?.id) {
    await askMade(api.POST('/api/v2.0/retentions', { body }))
    return
  }
  const now = said(await load(shown.id))
  if (JSON.stringify(now) !== JSON.stringify(said(shown))) throw new Failure(409, 'CHANGED', '', undefined)
  await ask(api.PUT('/api/v2.0/retentions/{id}', { params: { path: { id: shown.id } }, body }))
}

/** A list with one of its entries in another place. */
export function moved<T>(list: T[], from: number, to: number): T[] {
  const next = [...list]
  next.splice(to, 0, ...next.splice(from, 1))
  return next
}
