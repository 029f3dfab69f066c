import { path } from '../../lib/router.svelte'

/** The page of a repository by its full name, whose first part is the project. */
export function repositoryHref(full = ''): string {
  const slash = full.indexOf('/')
  return path('projects', full.slice(0, slash), 'repositories', full.slice(slash + 1))
}

/** What a repository is called within its project. */
export function within(full = ''): string {
  return full.slice(full.indexOf('/') + 1)
}
