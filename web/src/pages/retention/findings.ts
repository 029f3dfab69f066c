// What a run decided about artifacts, in words.

import type { RetentionFinding, RetentionRule, RetentionRun } from '../../api/client'
import type { IconName } from '../../components/Icon.svelte'
import { t, words, type Key } from '../../lib/i18n.svelte'
import { lists } from '../../lib/written'
import { keeps } from './rules'

export interface Outcome {
  name: string
  /** What it is called of a dry run and of a real one. */
  dry: Key
  real: Key
  look: 'danger' | 'good' | 'accent' | 'warn'
  icon: IconName
}

/** What may become of an artifact: what goes first. */
export const OUTCOMES: Outcome[] = [
  { name: 'delete', dry: 'retention.goes', real: 'retention.gone', look: 'danger', icon: 'trash' },
  { name: 'retain', dry: 'retention.stays', real: 'retention.stays', look: 'good', icon: 'check' },
  { name: 'immutable', dry: 'retention.locked', real: 'retention.locked', look: 'accent', icon: 'lock' },
  { name: 'in_use', dry: 'retention.inUse', real: 'retention.inUse', look: 'accent', icon: 'box' },
  { name: 'error', dry: 'retention.failed', real: 'retention.failed', look: 'warn', icon: 'warn' },
]

export function countOf(run: Pick<RetentionRun, 'outcomes'>, name: string): number {
  return (run.outcomes as Record<string, number>)[name] ?? 0
}

/** How many artifacts were looked at so far. */
export function total(run: Pick<RetentionRun, 'outcomes'>): number {
  return Object.values(run.outcomes as Record<string, number>).reduce((sum, count) => sum + count, 0)
}

/** How many repositories a run is about, and how many of them are done. */
export function progress(run: Pick<RetentionRun, 'tasks'>): { done: number; all: number } {
  const { pending, running, stopped, error, success } = run.tasks
  const done = stopped + error + success
  return { done, all: done + pending + running }
}

/** Why an artifact goes or stays, by the rules as they were when the run began. */
export function why(finding: RetentionFinding, rules: RetentionRule[]): string {
  const named = (reasons: { rule: number; keeps: string }[]) => {
    const one = ({ rule, keeps: said }: { rule: number; keeps: string }) => {
      const known = rules[rule]
      return t('retention.byRule', { place: rule + 1, keeps: known ? keeps(known) : said })
    }
    return lists(words.locale).format(reasons.map(one))
  }
  switch (finding.outcome) {
    case 'retain':
      return named(finding.kept_by)
    case 'immutable':
      return t('retention.whyLocked')
    case 'in_use':
      return t('retention.whyInUse')
    case 'error':
      return finding.message || t('retention.whyFailed')
    default:
      return finding.passed_over_by.length > 0 ? t('retention.whyPassed', { rules: named(finding.passed_over_by) }) : t('retention.whyUnmeant')
  }
}
