// Rules of retention: in words, and as a form holds them.

import type { RetentionRule } from '../../api/client'
import { t, type Key } from '../../lib/i18n.svelte'
import { ALL, inWords, meansUntagged, readSelector, wrongPattern, writeSelector, writeUntagged, type Selector } from '../immutability/selectors'

/** How many rules a policy has at most, and how many selectors of a kind a rule. */
export const MOST_RULES = 15
export const MOST_SELECTORS = 10

type Unit = 'COUNT' | 'DAYS'

/** What is counted where a rule does not say how much, and how much there may be. */
const NUMBERS: Record<Unit, { usual: number; largest: number; label: Key }> = {
  COUNT: { usual: 10, largest: 32_766, label: 'retention.count' },
  DAYS: { usual: 30, largest: 20_190_904, label: 'retention.days' },
}

/** What is known of templates: how each is chosen, what it keeps, and what its number counts. */
const TEMPLATES: Record<string, { name: Key; keeps: Key; unit?: Unit }> = {
  latestPushedK: { name: 'retention.latestPushed', keeps: 'retention.keeps.latestPushed', unit: 'COUNT' },
  latestPulledN: { name: 'retention.latestPulled', keeps: 'retention.keeps.latestPulled', unit: 'COUNT' },
  nDaysSinceLastPush: { name: 'retention.pushedWithin', keeps: 'retention.keeps.pushedWithin', unit: 'DAYS' },
  nDaysSinceLastPull: { name: 'retention.pulledWithin', keeps: 'retention.keeps.pulledWithin', unit: 'DAYS' },
  always: { name: 'retention.always', keeps: 'retention.keeps.always' },
  latestVersionsPerMinor: { name: 'retention.versions', keeps: 'retention.keeps.versions', unit: 'COUNT' },
  signed: { name: 'retention.signed', keeps: 'retention.keeps.signed' },
}

/** A template as it is chosen; one of a newer server by its own name. */
export function templateName(template: string): string {
  const known = TEMPLATES[template]
  return known ? t(known.name) : template
}

/** What the number of a template is, if it has one. */
export function numberOf(template: string) {
  const unit = TEMPLATES[template]?.unit
  return unit && NUMBERS[unit]
}

/** A rule as a form holds it. */
export interface Draft {
  repositories: Selector[]
  tags: Selector[]
  /** Whether artifacts without tags are meant too. */
  untagged: boolean
  template: string
  number: string
}

const NEW: Draft = { repositories: [ALL], tags: [ALL], untagged: true, template: 'latestPushedK', number: '10' }

/** The number of a rule, as the server understands it. */
function said(rule: Pick<RetentionRule, 'params' | 'template'>): number {
  const template = rule.template ?? ''
  const value: unknown = (rule.params as Record<string, unknown> | undefined)?.[template]
  return typeof value === 'number' ? value : (numberOf(template)?.usual ?? 0)
}

export function readRule(rule: RetentionRule | undefined): Draft {
  if (!rule) return NEW
  const repositories = (rule.scope_selectors?.repository ?? []).map(readSelector)
  const tags = rule.tag_selectors ?? []
  return {
    repositories: repositories.length > 0 ? repositories : [ALL],
    tags: tags.length > 0 ? tags.map(readSelector) : [ALL],
    untagged: tags.every(meansUntagged),
    template: rule.template ?? '',
    number: String(said(rule)),
  }
}

export function writeRule(draft: Draft, rule: RetentionRule | undefined): RetentionRule {
  return {
    id: rule?.id ?? 0,
    priority: rule?.priority ?? 0,
    disabled: rule?.disabled ?? false,
    action: 'retain',
    template: draft.template,
    params: (numberOf(draft.template) ? { [draft.template]: Number(draft.number) } : {}) as unknown as RetentionRule['params'],
    tag_selectors: draft.tags.map((selector) => ({ ...writeSelector(selector, 'tags'), extras: writeUntagged(selector, draft.untagged) })),
    scope_selectors: { repository: draft.repositories.map((selector) => writeSelector(selector, 'repositories')) },
  }
}

/** What a rule keeps of what it is about. */
export function keeps(rule: RetentionRule): string {
  const known = TEMPLATES[rule.template ?? '']
  return known ? t(known.keeps, { n: said(rule) }) : (rule.template ?? '')
}

/** What a rule says. */
export function sentence(rule: RetentionRule): string {
  const draft = readRule(rule)
  const tags = inWords(draft.tags, 'tags')
  return t('retention.sentence', {
    scope: inWords(draft.repositories, 'repositories'),
    tags: draft.untagged ? t('retention.untaggedToo', { tags }) : tags,
    keeps: keeps(rule),
  })
}

/** Why the number of a rule is none. */
export function wrongNumber(draft: Draft): boolean {
  const number = numberOf(draft.template)
  return number !== undefined && !(/^\d{1,9}$/.test(draft.number.trim()) && Number(draft.number) <= number.largest)
}

/** Whether a rule can be sent. */
export function isWhole(draft: Draft): boolean {
  return ![...draft.repositories, ...draft.tags].some(wrongPattern) && !wrongNumber(draft)
}

/** Whether a policy has a rule that says the same: it can have one of them. */
export function isThere(rules: RetentionRule[], rule: RetentionRule): boolean {
  const text = (one: RetentionRule) => JSON.stringify([readRule(one), one.disabled ?? false])
  return rules.some((one) => text(one) === text(rule))
}
