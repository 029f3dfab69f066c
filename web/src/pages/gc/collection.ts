import type { GcHistory } from '../../api/client'
import { count, facts } from '../../lib/runs'

/** What is asked of a collection. */
export interface Options {
  delete_untagged: boolean
  workers: number
}

/** What a run or a schedule was asked for; what a new one is asked for unless somebody chooses. */
export function optionsOf(parameters: string | undefined): Options {
  const found = facts(parameters ?? '')
  return {
    delete_untagged: found.delete_untagged === true,
    workers: Math.min(10, Math.max(1, count(found, 'workers') ?? 1)),
  }
}

/** What came of a collection, as far as it has ended. */
export function outcome(run: GcHistory) {
  const found = facts(run.job_parameters)
  return {
    isDry: found.dry_run === true,
    freed: count(found, 'freed_space'),
    blobs: count(found, 'purged_blobs'),
    manifests: count(found, 'purged_manifests'),
    window: count(found, 'time_window'),
    ...optionsOf(run.job_parameters),
  }
}
