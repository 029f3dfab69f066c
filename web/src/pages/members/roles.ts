import type { Role } from '../../api/client'
import { t, type Key } from '../../lib/i18n.svelte'

/** Harbor's roles by number, the strongest first. */
export const ROLES = [1, 4, 2, 3, 5] as const

const NAMES: Record<number, Key> = {
  1: 'role.1',
  2: 'role.2',
  3: 'role.3',
  4: 'role.4',
  5: 'role.5',
}

/** What a role is called: Harbor's in the reader's language, a custom one as it was named. */
export function roleName(id: number, custom: Role[] = [], fallback = ''): string {
  const key = NAMES[id]
  if (key) return t(key)
  return custom.find((role) => role.id === id)?.name ?? (fallback || t('role.custom', { id }))
}

export function roleHint(id: number, custom: Role[] = []): string {
  const hint = NAMES[id] && (`${NAMES[id]}.hint` as Key)
  return hint ? t(hint) : (custom.find((role) => role.id === id)?.description ?? '')
}
