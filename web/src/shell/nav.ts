// The pages that the side navigation, the search box and nothing else list.

import type { IconName } from '../components/Icon.svelte'
import type { Key } from '../lib/i18n.svelte'
import { session } from '../lib/session.svelte'

export interface Entry {
  href: string
  text: Key
  icon: IconName
}

/** The pages that somebody may see, for everybody and for administrators. */
export function entries(): { work: Entry[]; administration: Entry[] } {
  const work: (Entry | false)[] = [
    !!session.user && { href: '/', text: 'nav.home', icon: 'box' },
    { href: '/projects', text: 'nav.projects', icon: 'project' },
  ]
  const administration: (Entry | false)[] = [
    session.may('user', 'list') && { href: '/users', text: 'nav.users', icon: 'user' },
    session.may('user-group', 'list') && session.isAdmin && { href: '/groups', text: 'nav.groups', icon: 'group' },
    session.isAdmin && { href: '/robots', text: 'nav.robots', icon: 'robot' },
    session.isAdmin && { href: '/labels', text: 'nav.labels', icon: 'tag' },
    session.isAdmin && { href: '/roles', text: 'nav.roles', icon: 'shield' },
    session.may('audit-log', 'list') && { href: '/audit', text: 'nav.audit', icon: 'log' },
    session.may('configuration', 'read') && { href: '/configuration', text: 'nav.configuration', icon: 'gear' },
  ]
  const there = (list: (Entry | false)[]) => list.filter((entry) => entry !== false)
  return { work: there(work), administration: there(administration) }
}
