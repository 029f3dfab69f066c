import { api, ask } from '../../api/client'
import { query } from '../../lib/query.svelte'
import { session } from '../../lib/session.svelte'

/** Whether there is a directory to choose people and groups from, for those who may look into it. */
export function directories() {
  const sources = query(
    () => (session.may('ldap-user', 'list') ? ['sources'] : undefined),
    (signal) => ask(api.GET('/api/haven/v1/identity-sources', { signal })),
  )
  return {
    get any() {
      return (sources.data ?? []).some((source) => source.type === 'ldap' && source.enabled)
    },
  }
}
