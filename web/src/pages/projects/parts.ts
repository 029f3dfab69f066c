// The parts of a project's page, and who sees them.

import type { Component } from 'svelte'
import type { Project } from '../../api/client'
import type { Key } from '../../lib/i18n.svelte'
import { path } from '../../lib/router.svelte'
import { session, type ProjectRights } from '../../lib/session.svelte'

export type Tab = Component<{ project: Project; rights: ProjectRights; params: Record<string, string> }>

interface Part {
  id: string
  text: Key
  right: [string, string] | undefined
  /** Another right that is enough. */
  or?: [string, string]
  load: () => Promise<{ default: Tab }>
}

const PARTS: Part[] = [
  { id: 'summary', text: 'project.summary', right: undefined, load: () => import('./Summary.svelte') },
  { id: 'repositories', text: 'nav.repositories', right: undefined, load: () => import('../repositories/Repositories.svelte') },
  { id: 'members', text: 'project.members', right: ['member', 'list'], load: () => import('../members/Members.svelte') },
  { id: 'labels', text: 'project.labels', right: ['label', 'list'], load: () => import('../labels/ProjectLabels.svelte') },
  { id: 'policies', text: 'project.policies', right: ['tag-retention', 'read'], or: ['immutable-tag', 'list'], load: () => import('./Policies.svelte') },
  { id: 'robots', text: 'project.robots', right: ['robot', 'list'], load: () => import('../robots/ProjectRobots.svelte') },
  { id: 'logs', text: 'project.logs', right: ['log', 'list'], load: () => import('../audit/ProjectLogs.svelte') },
  { id: 'settings', text: 'project.settings', right: ['configuration', 'read'], load: () => import('./Settings.svelte') },
]

/** The parts that somebody with these rights sees. */
export function partsFor(rights: ProjectRights): Part[] {
  return PARTS.filter((part) => (part.id === 'summary' ? !!session.user : !part.right || rights.may(...part.right) || (part.or && rights.may(...part.or))))
}

/** Where a part of a project stands. */
export function partHref(project: string, part: string): string {
  return part === 'summary' ? path('projects', project) : path('projects', project, part)
}
