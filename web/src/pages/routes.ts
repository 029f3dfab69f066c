// Every page, by its address. What has no API yet has no line here.

import type { Component } from 'svelte'
import { match, path } from '../lib/router.svelte'

/** A page takes what its address says, if it wants to know. */
export type Page = Component<{ params: Record<string, string> }> | Component<Record<string, never>>

export interface Route {
  pattern: string
  load: () => Promise<{ default: Page }>
  /** Whether it is for those too who have not signed in. */
  open?: boolean
  /** Whether it is shown without the frame. */
  bare?: boolean
}

const project = () => import('./projects/Project.svelte')

export const ROUTES: Route[] = [
  { pattern: '/sign-in', load: () => import('./sign_in/SignIn.svelte'), open: true, bare: true },
  { pattern: '/register', load: () => import('./sign_in/Register.svelte'), open: true, bare: true },
  { pattern: '/oidc-onboard', load: () => import('./sign_in/Onboard.svelte'), open: true, bare: true },
  { pattern: '/', load: () => import('./home/Home.svelte') },
  { pattern: '/projects', load: () => import('./projects/Projects.svelte'), open: true },
  { pattern: '/projects/:project', load: project, open: true },
  { pattern: '/projects/:project/repositories', load: project, open: true },
  { pattern: '/projects/:project/repositories/:repository', load: () => import('./repositories/Repository.svelte'), open: true },
  {
    pattern: '/projects/:project/repositories/:repository/artifacts/:digest',
    load: () => import('./artifacts/Artifact.svelte'),
    open: true,
  },
  { pattern: '/projects/:project/policies/:part', load: project },
  { pattern: '/projects/:project/policies/:part/:run', load: project },
  { pattern: '/projects/:project/:tab', load: project },
  { pattern: '/project-ids/:id/*', load: () => import('./projects/ById.svelte'), open: true },
  { pattern: '/users', load: () => import('./users/Users.svelte') },
  { pattern: '/users/:id', load: () => import('./users/User.svelte') },
  { pattern: '/groups', load: () => import('./groups/Groups.svelte') },
  { pattern: '/robots', load: () => import('./robots/SystemRobots.svelte') },
  { pattern: '/labels', load: () => import('./labels/SystemLabels.svelte') },
  { pattern: '/roles', load: () => import('./roles/Roles.svelte') },
  { pattern: '/audit', load: () => import('./audit/Audit.svelte') },
  { pattern: '/audit/:tab', load: () => import('./audit/Audit.svelte') },
  { pattern: '/quotas', load: () => import('./quotas/Quotas.svelte') },
  { pattern: '/garbage-collection', load: () => import('./gc/GarbageCollection.svelte') },
  { pattern: '/jobs', load: () => import('./jobs/Jobs.svelte') },
  { pattern: '/jobs/:tab', load: () => import('./jobs/Jobs.svelte') },
  { pattern: '/configuration', load: () => import('./configurations/Configuration.svelte') },
  { pattern: '/configuration/:tab', load: () => import('./configurations/Configuration.svelte') },
  { pattern: '/profile', load: () => import('./profile/Profile.svelte') },
  { pattern: '/profile/:tab', load: () => import('./profile/Profile.svelte') },
  { pattern: '/api-explorer', load: () => import('./explorer/Explorer.svelte'), open: true },
  { pattern: '/about', load: () => import('./about/About.svelte') },
]

const NOT_FOUND: Route = { pattern: '*', load: () => import('../shell/NotFound.svelte'), open: true }

/** Where Harbor's portal had a page: links to it still lead there. */
const HARBOR: [string, (found: Record<string, string>) => string][] = [
  ['/account/sign-in', () => '/sign-in'],
  ['/license', () => '/about?license=1'],
  ['/harbor', () => '/'],
  ['/harbor/sign-in', () => '/sign-in'],
  ['/harbor/projects', () => '/projects'],
  ['/harbor/projects/:id', ({ id }) => path('project-ids', id ?? '', 'summary')],
  ['/harbor/projects/:id/repositories', ({ id }) => path('project-ids', id ?? '', 'repositories')],
  ['/harbor/projects/:id/repositories/:name', ({ id, name }) => path('project-ids', id ?? '', 'repositories', name ?? '')],
  ...['artifacts', 'artifacts-tab/artifacts', 'artifacts-tab/depth/:index/artifacts'].map((between): [string, (found: Record<string, string>) => string] => [
    `/harbor/projects/:id/repositories/:name/${between}/:digest`,
    ({ id, name, digest }) => path('project-ids', id ?? '', 'repositories', name ?? '', 'artifacts', digest ?? ''),
  ]),
  ['/harbor/projects/:id/repositories/:name/*', ({ id, name }) => path('project-ids', id ?? '', 'repositories', name ?? '')],
  ['/harbor/projects/:id/robot-account', ({ id }) => path('project-ids', id ?? '', 'robots')],
  ['/harbor/projects/:id/configs', ({ id }) => path('project-ids', id ?? '', 'settings')],
  ['/harbor/projects/:id/labels', ({ id }) => path('project-ids', id ?? '', 'labels')],
  ['/harbor/projects/:id/members', ({ id }) => path('project-ids', id ?? '', 'members')],
  ['/harbor/projects/:id/tag-strategy/immutable-tag', ({ id }) => path('project-ids', id ?? '', 'policies', 'immutable')],
  ['/harbor/projects/:id/tag-strategy', ({ id }) => path('project-ids', id ?? '', 'policies')],
  ['/harbor/projects/:id/tag-strategy/*', ({ id }) => path('project-ids', id ?? '', 'policies', 'retention')],
  ['/harbor/projects/:id/logs', ({ id }) => path('project-ids', id ?? '', 'logs')],
  ['/harbor/projects/:id/*', ({ id }) => path('project-ids', id ?? '', 'summary')],
  ['/harbor/labels', () => '/labels'],
  ['/harbor/users', () => '/users'],
  ['/harbor/groups', () => '/groups'],
  ['/harbor/robot-accounts', () => '/robots'],
  ['/harbor/logs', () => '/audit'],
  ['/harbor/logs/*', () => '/audit'],
  ['/harbor/project-quotas', () => '/quotas'],
  ['/harbor/clearing-job/audit-log-purge', () => '/audit/purge'],
  ['/harbor/clearing-job/*', () => '/garbage-collection'],
  ['/harbor/job-service-dashboard/schedules', () => '/jobs/schedules'],
  ['/harbor/job-service-dashboard/workers', () => '/jobs/workers'],
  ['/harbor/job-service-dashboard/*', () => '/jobs'],
  ['/harbor/configs', () => '/configuration'],
  ['/harbor/configs/*', () => '/configuration'],
]

export interface Found {
  route: Route
  params: Record<string, string>
  redirect?: string
}

/** The pages that were loaded, by what loads them. */
const loaded = new Map<Route['load'], Page>()

/** The page of a route, if it was loaded. */
export function loadedPage({ load }: Route): Page | undefined {
  return loaded.get(load)
}

/** Loads the page of a route. */
export async function loadPage({ load }: Route) {
  loaded.set(load, (await load()).default)
}

/** Loads the page at a path; nothing to wait for if it was. */
export function preparePage(at: string): Promise<void> | undefined {
  const { route, redirect } = find(at)
  return redirect || loadedPage(route) ? undefined : loadPage(route)
}

/** The page at a path. */
export function find(at: string): Found {
  for (const route of ROUTES) {
    const params = match(route.pattern, at === '/' ? '/' : at)
    if (params || (route.pattern === '/' && at === '/')) return { route, params: params ?? {} }
  }
  for (const [pattern, to] of HARBOR) {
    const found = match(pattern, at)
    if (found) return { route: NOT_FOUND, params: {}, redirect: to(found) }
  }
  return { route: NOT_FOUND, params: {} }
}
