// What the list of artifacts is filtered by, in its address and as the server understands it.

import { allOf, contains, equals } from '../../lib/list.svelte'

/** The parameters of the address. */
export const FILTERS = ['tag', 'digest', 'type', 'label', 'untagged'] as const

/** The terms of `q` for what the address says. */
export function filterOf(filter: (name: string) => string): string | undefined {
  const label = /^\d+$/.test(filter('label')) ? `labels=(${filter('label')})` : undefined
  const tags = filter('untagged') ? 'tags=nil' : contains('tags', filter('tag'))
  return allOf(tags, contains('digest', filter('digest')), equals('type', filter('type')), label)
}
