import { api, askPage } from '../../api/client'
import { query } from '../../lib/query.svelte'

/** The labels that artifacts of a project may carry: its own, and those of the system. */
export function offeredLabels(project: () => number | undefined) {
  return query(
    () => (project() === undefined ? undefined : ['labels', 'offered', project()]),
    async (signal) => {
      const page = { page_size: 100, sort: 'name' }
      const [own, all] = await Promise.all([
        askPage(api.GET('/api/v2.0/labels', { params: { query: { ...page, scope: 'p', project_id: project() } }, signal })),
        askPage(api.GET('/api/v2.0/labels', { params: { query: { ...page, scope: 'g' } }, signal })),
      ])
      return [...own.items, ...all.items]
    },
  )
}
