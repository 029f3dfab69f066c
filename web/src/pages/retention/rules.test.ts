import { beforeEach, expect, test, vi } from 'vitest'
import type { RetentionFinding, RetentionRule, RetentionSelector } from '../../api/client'
import en from '../../messages/en.json'
import zh from '../../messages/zh-CN.json'
import type { Language } from '../../lib/i18n.svelte'
import * as immutable from '../immutability/rules'
import { means, meansUntagged, parts, wrongPattern, writeUntagged, type Selector } from '../immutability/selectors'
import { wrongClaim, wrongIssuer, isWhole as isWholeTrust, jobLines } from '../robots/trusts'
import { why } from './findings'
import { isThere, isWhole, readRule, sentence, writeRule, wrongNumber, type Draft } from './rules'
import { words } from '../../lib/i18n.svelte'

vi.mock('../../api/client', () => ({}))
vi.stubGlobal('navigator', { languages: [] })

function speak(language: Language) {
  words.language = language
  words.messages = language === 'en' ? en : zh
}
beforeEach(() => speak('en'))

const selector = (pattern: string, decoration: string, kind = 'doublestar', extras = ''): RetentionSelector => ({ kind, decoration, pattern, extras })
function rule(template: string, n: number, repositories: RetentionSelector[], tags: RetentionSelector[]): RetentionRule {
  return { id: 0, priority: 0, disabled: false, action: 'retain', template, params: { [template]: n } as unknown as RetentionRule['params'], tag_selectors: tags, scope_selectors: { repository: repositories } }
}
/** As people read it: without the marks around patterns. */
const plain = (text: string) => parts(text).map((part) => part.text).join('')

const everywhere = [selector('**', 'repoMatches')]
const released = [selector('v*', 'matches', 'doublestar', '{"untagged":true}')]
const tagged = [selector('v*', 'matches', 'doublestar', '{"untagged":false}')]

test('a rule of retention is a sentence', () => {
  for (const [given, inEnglish, inChinese] of [
    [
      rule('latestPushedK', 10, everywhere, released),
      'In all repositories, of tags matching v* and artifacts without a tag: keep the 10 most recently pushed.',
      '所有仓库：对于匹配 v* 的 Tag 以及无 Tag 的制品，保留最近推送的 10 个。',
    ],
    [
      rule('nDaysSinceLastPull', 1, [selector('team/**', 'repoExcludes')], tagged),
      'In repositories not matching team/**, of tags matching v*: keep what was pulled in the last 1 day.',
      '不匹配 team/** 的仓库：对于匹配 v* 的 Tag，保留最近 1 天内拉取过的。',
    ],
    [
      rule('latestVersionsPerMinor', 3, everywhere, [selector('>=1.2, <2', 'matches', 'semver', '{"untagged":false}')]),
      'In all repositories, of versions >=1.2, <2: keep the newest 3 versions of each minor release.',
      '所有仓库：对于版本范围 >=1.2, <2 内的 Tag，保留每个次版本最新的 3 个版本。',
    ],
    [
      rule('always', 0, [selector('a/**', 'repoMatches'), selector('a/old', 'repoExcludes')], [selector('v[0-9]+', 'matches', 'regex', '{"untagged":false}')]),
      'In what is at once repositories matching a/** and repositories not matching a/old, of tags matching the expression v[0-9]+: keep everything.',
      '同时属于匹配 a/** 的仓库和不匹配 a/old 的仓库的仓库：对于符合正则表达式 v[0-9]+ 的 Tag，保留全部。',
    ],
  ] as const) {
    speak('en')
    expect(plain(sentence(given))).toBe(inEnglish)
    speak('zh-CN')
    expect(plain(sentence(given))).toBe(inChinese)
  }
})

test('a rule of immutability is a sentence', () => {
  const given = { tag_selectors: [selector('{stable,v*}', 'matches')], scope_selectors: { repository: [selector('**', 'repoMatches')] } }
  expect(plain(immutable.sentence(given))).toBe('In all repositories, tags matching {stable,v*} can be neither moved nor deleted.')
  speak('zh-CN')
  expect(plain(immutable.sentence(given))).toBe('所有仓库中，匹配 {stable,v*} 的 Tag 不可移动或删除。')
})

test('a pattern stands apart, whatever it says', () => {
  const odd = sentence(rule('always', 0, [selector('a\u2069b{n}', 'repoMatches')], tagged))
  expect(parts(odd).filter((part) => part.isPattern).map((part) => part.text)).toEqual(['ab{n}', 'v*'])
})

test('what is read of a rule is written again', () => {
  for (const template of ['latestPushedK', 'latestPulledN', 'nDaysSinceLastPush', 'nDaysSinceLastPull', 'latestVersionsPerMinor']) {
    const given = rule(template, 7, everywhere, released)
    expect(writeRule(readRule(given), given)).toMatchObject({ template, params: { [template]: 7 }, tag_selectors: given.tag_selectors, action: 'retain' })
  }
  const kept = { ...rule('signed', 0, everywhere, tagged), id: 5, priority: 2, disabled: true }
  expect(writeRule(readRule(kept), kept)).toMatchObject({ id: 5, priority: 2, disabled: true, params: {}, template: 'signed' })
  // A number that a rule leaves out is the server's.
  expect(readRule({ ...kept, template: 'nDaysSinceLastPush', params: {} }).number).toBe('30')
})

test('artifacts without tags are meant as the server understands the extras', () => {
  // From the server's own test of it.
  for (const [decoration, extras, expected] of [
    ['matches', '', true],
    ['matches', '{"untagged":false}', false],
    ['matches', '{}', false],
    ['matches', '["untagged":False]', true],
    ['excludes', '', true],
    ['excludes', '{"untagged":true}', false],
    ['excludes', '{"untagged":false}', true],
  ] as const) {
    expect(meansUntagged(selector('v*', decoration, 'doublestar', extras)), `${decoration} ${extras}`).toBe(expected)
  }
  for (const excludes of [true, false]) {
    for (const untagged of [true, false]) {
      const own: Selector = { kind: 'doublestar', excludes, pattern: 'x' }
      expect(meansUntagged(selector('x', excludes ? 'excludes' : 'matches', 'doublestar', writeUntagged(own, untagged)))).toBe(untagged)
    }
  }
})

test('a selector is checked while it is written', () => {
  const wrong = (kind: Selector['kind'], pattern: string) => wrongPattern({ kind, excludes: false, pattern })
  for (const [kind, pattern] of [['doublestar', ''], ['doublestar', 'a/{b,c}*'], ['regex', 'v[0-9]+'], ['regex', '(?i)rc'], ['semver', '>=1, <2']] as const) expect(wrong(kind, pattern), pattern).toBeUndefined()
  for (const [kind, pattern] of [['doublestar', '[a'], ['doublestar', '{a'], ['regex', ''], ['regex', '(?=a)b'], ['regex', '(a)\\1'], ['regex', 'a'.repeat(1025)], ['semver', ' ']] as const) expect(wrong(kind, pattern), pattern).toBeDefined()
  const one = (pattern: string, excludes = false): Selector => ({ kind: 'doublestar', excludes, pattern })
  expect([means(one('v*'), 'v1'), means(one('v*'), 'x'), means(one('v*', true), 'x'), means(one(''), 'x'), means(one('['), 'x')]).toEqual([true, false, true, true, undefined])
})

test('a rule is whole, and there once', () => {
  const draft: Draft = readRule(rule('latestPushedK', 3, everywhere, tagged))
  expect(isWhole(draft)).toBe(true)
  for (const number of ['', '-1', '1.5', '32767', 'x']) expect(wrongNumber({ ...draft, number }), number).toBe(true)
  expect(wrongNumber({ ...draft, number: '32767', template: 'nDaysSinceLastPush' })).toBe(false)
  expect(wrongNumber({ ...draft, number: 'x', template: 'always' })).toBe(false)
  expect(isWhole({ ...draft, tags: [{ kind: 'regex', excludes: false, pattern: '' }] })).toBe(false)
  const other = rule('latestPushedK', 4, everywhere, tagged)
  expect(isThere([other], rule('latestPushedK', 4, everywhere, tagged))).toBe(true)
  expect(isThere([other], { ...other, disabled: true })).toBe(false)
  const locks = immutable.writeRule(immutable.readRule(undefined), undefined)
  expect(immutable.isSame(locks, { ...locks, id: 9, disabled: true })).toBe(true)
})

test('why an artifact goes or stays is told by the rules of the run', () => {
  const rules = [rule('latestPushedK', 2, everywhere, tagged), rule('always', 0, everywhere, released)]
  const finding = (outcome: string, kept_by: number[] = [], passed: number[] = [], message = ''): RetentionFinding => ({
    outcome,
    kept_by: kept_by.map((place) => ({ rule: place, keeps: 'said by the server' })),
    passed_over_by: passed.map((place) => ({ rule: place, keeps: 'said by the server' })),
    message,
    task_id: 1,
    repository: 'a',
    digest: 'sha256:0',
    tags: [],
    labels: [],
    push_time: '',
    pull_time: '',
    signed: false,
  })
  expect(why(finding('retain', [0, 1]), rules)).toBe('rule 1 (the 2 most recently pushed) and rule 2 (everything)')
  expect(why(finding('retain', [4]), rules)).toBe('rule 5 (said by the server)')
  expect(why(finding('delete', [], [0]), rules)).toBe('Not kept by rule 1 (the 2 most recently pushed)')
  expect(why(finding('delete'), rules)).toBe('No rule covers its tags')
  expect(why(finding('error', [], [], 'busy'), rules)).toBe('busy')
  speak('zh-CN')
  expect(why(finding('retain', [0, 1]), rules)).toBe('规则 1（最近推送的 2 个）和规则 2（全部）')
  expect(why(finding('delete', [], [0]), rules)).toBe('未被规则 1（最近推送的 2 个）保留')
})

test('a trust is judged as the server judges it', () => {
  for (const good of ['https://gitlab.com', 'https://a.example:8443/x']) expect(wrongIssuer(good), good).toBeUndefined()
  for (const bad of ['', 'http://a', 'https://', 'https:///x', 'https://a?b', 'https://u@a', 'https://a b', `https://${'a'.repeat(600)}`]) expect(wrongIssuer(bad), bad).toBeDefined()
  const claims = [{ name: 'ref', pattern: 'refs/heads/{main,v*}' }]
  expect(isWholeTrust({ issuer: 'https://a', audience: 'b', claims })).toBe(true)
  expect(isWholeTrust({ issuer: 'https://a', audience: 'b', claims: [] })).toBe(false)
  expect(isWholeTrust({ issuer: 'https://a', audience: ' ', claims })).toBe(false)
  expect(wrongClaim({ name: 'ref', pattern: '[' }, claims)).toBeDefined()
  expect(wrongClaim(claims[0]!, [...claims, ...claims])).toBe('This claim is named twice.')
  expect(jobLines('github', 'r.example', 'r.example', 'robot$p+ci')).toContain(`docker login r.example --username 'robot$p+ci'`)
})
