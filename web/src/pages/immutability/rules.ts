// Rules of immutability: in words, and as a form holds them.

import type { ImmutableRule } from '../../api/client'
import { t, type Key } from '../../lib/i18n.svelte'
import { ALL, inWords, readSelector, wrongPattern, writeSelector, type Selector } from './selectors'

/** How many rules a project has at most. */
export const MOST = 100

export interface Draft {
  repositories: Selector
  tags: Selector
}

/** A new rule: few mean to lock everything. */
const NEW: Draft = { repositories: ALL, tags: { ...ALL, pattern: 'v*' } }

/** As with Harbor, the first selector of each kind counts. */
export function readRule(rule: Partial<ImmutableRule> | undefined): Draft {
  if (!rule) return NEW
  const [repositories] = rule.scope_selectors?.repository ?? []
  const [tags] = rule.tag_selectors ?? []
  return { repositories: repositories ? readSelector(repositories) : ALL, tags: tags ? readSelector(tags) : ALL }
}

export function writeRule(draft: Draft, rule: ImmutableRule | undefined): ImmutableRule {
  return {
    id: rule?.id ?? 0,
    priority: rule?.priority ?? 0,
    disabled: rule?.disabled ?? false,
    action: 'immutable',
    template: 'immutable_template',
    tag_selectors: [writeSelector(draft.tags, 'tags')],
    scope_selectors: { repository: [writeSelector(draft.repositories, 'repositories')] },
  }
}

/** What a rule says. */
export function sentence(rule: Partial<ImmutableRule>): string {
  const draft = readRule(rule)
  return t('immutability.sentence', { scope: inWords([draft.repositories], 'repositories'), tags: inWords([draft.tags], 'tags') })
}

export function wrongIn(draft: Draft): Key | undefined {
  return wrongPattern(draft.repositories) ?? wrongPattern(draft.tags)
}

/** Whether two rules say the same; the project may have one of them. */
export function isSame(a: ImmutableRule, b: ImmutableRule): boolean {
  const said = ({ tag_selectors, scope_selectors }: ImmutableRule) => JSON.stringify(readRule({ tag_selectors, scope_selectors } as ImmutableRule))
  return said(a) === said(b)
}
