import { api, ask, BY_NAME } from '../../api/client'
import { query } from '../../lib/query.svelte'

/** A project by its name; none as long as there is no name. */
export function projectByName(name: () => string | undefined) {
  return query(
    () => (name() === undefined ? undefined : ['project', name()]),
    (signal) =>
      ask(
        api.GET('/api/v2.0/projects/{project_name_or_id}', {
          params: { path: { project_name_or_id: name() ?? '' }, header: BY_NAME },
          signal,
        }),
      ),
  )
}
