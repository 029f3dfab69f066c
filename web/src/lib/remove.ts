import { Failure } from '../api/failure'

/**
 * Removes one after another. What is gone already is as it should be: somebody else was faster,
 * or an earlier attempt came this far before it failed.
 */
export async function removeEach<T>(rows: T[], remove: (row: T) => Promise<unknown>) {
  for (const row of rows) {
    try {
      await remove(row)
    } catch (error) {
      if (Failure.of(error).status !== 404) throw error
    }
  }
}
