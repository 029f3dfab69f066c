// The pages that the side navigation, the search box and nothing else list.

import type { IconName } from '../components/Icon.svelte'
import type { Key } from '../lib/i18n.svelte'
import { session } from '../lib/session.svelte'

export interface Entry {
  href: string
  text: Key
  icon: IconName
}

export interface Group {
  title?: Key
  entries: Entry[]
}

/** The pages that somebody may see: the work of everybody, and what administrators do. */
export function groups(): Group[] {
  const admin = session.isAdmin
  const all: { title?: Key; entries: (Entry | false)[] }[] = [
    {
      entries: [
        !!session.user && { href: '/', text: 'nav.home', icon: 'home' },
        { href: '/projects', text: 'nav.projects', icon: 'project' },
      ],
    },
    {
      title: 'nav.people',
      entries: [
        session.may('user', 'list') && { href: '/users', text: 'nav.users', icon: 'user' },
        session.may('user-group', 'list') && admin && { href: '/groups', text: 'nav.groups', icon: 'group' },
        admin && { href: '/robots', text: 'nav.robots', icon: 'robot' },
        admin && { href: '/roles', text: 'nav.roles', icon: 'shield' },
      ],
    },
    {
      title: 'nav.operation',
      entries: [
        admin && { href: '/quotas', text: 'nav.quotas', icon: 'disk' },
        admin && { href: '/garbage-collection', text: 'nav.gc', icon: 'broom' },
        admin && { href: '/jobs', text: 'nav.jobs', icon: 'clock' },
        session.may('audit-log', 'list') && { href: '/audit', text: 'nav.audit', icon: 'log' },
      ],
    },
    {
      title: 'nav.system',
      entries: [
        admin && { href: '/labels', text: 'nav.labels', icon: 'tag' },
        session.may('configuration', 'read') && { href: '/configuration', text: 'nav.configuration', icon: 'gear' },
      ],
    },
  ]
  return all
    .map(({ entries, ...group }) => ({ ...group, entries: entries.filter((entry) => entry !== false) }))
    .filter((group) => group.entries.length > 0)
}
