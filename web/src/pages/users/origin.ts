import type { UserWithOrigins } from '../../api/client'
import { t, words } from '../../lib/i18n.svelte'
import { lists } from '../../lib/written'

/** From where a user is known: this server, or the sources that tell who they are. */
export function originOf({ origins, has_password }: UserWithOrigins): string {
  if (origins.length > 0) return lists(words.locale).format(origins)
  return has_password ? t('users.here') : t('users.elsewhere')
}
