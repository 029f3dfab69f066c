import { Failure } from '../api/failure'

/** Of several that something was done to, those with which it failed; the others are done. */
export class SomeFailed extends Failure {
  constructor(
    readonly failed: { name: string; failure: Failure }[],
    readonly all: number,
  ) {
    super(422, 'SOME', '', undefined)
  }
}

/**
 * Does something to one after another. One that is refused holds up none of the others; when
 * nobody answers, or whoever asks is not known any more, the rest is not tried.
 */
export async function each<T>(rows: T[], name: (row: T) => string, deed: (row: T) => Promise<unknown>) {
  const failed: { name: string; failure: Failure }[] = []
  for (const row of rows) {
    try {
      await deed(row)
    } catch (error) {
      const failure = Failure.of(error)
      if (rows.length === 1 || failure.mayPass || failure.status === 401) throw failure
      failed.push({ name: name(row), failure })
    }
  }
  if (failed.length > 0) throw new SomeFailed(failed, rows.length)
}

/**
 * Removes one after another. What is gone already is as it should be: somebody else was faster,
 * or an earlier attempt came this far before it failed.
 */
export function removeEach<T>(rows: T[], name: (row: T) => string, remove: (row: T) => Promise<unknown>) {
  return each(rows, name, async (row) => {
    try {
      await remove(row)
    } catch (error) {
      if (Failure.of(error).status !== 404) throw error
    }
  })
}
