// Executions of jobs, as the histories of Harbor's API tell of them.

const GOING = new Set(['Pending', 'Scheduled', 'Running'])

/** Whether something may still follow. */
export function isGoing(status: string): boolean {
  return GOING.has(status)
}

/** What a run was asked for and what came of it: a JSON object, in a text. */
export function facts(text: string): Record<string, unknown> {
  try {
    const read: unknown = JSON.parse(text)
    return typeof read === 'object' && read !== null && !Array.isArray(read) ? (read as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** A number among such facts, if it is one. */
export function count(found: Record<string, unknown>, name: string): number | undefined {
  const value = found[name]
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
