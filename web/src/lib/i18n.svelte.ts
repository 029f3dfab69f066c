// The words of the portal, one file for each language, and how numbers and sizes are written in
// it. Which language: what somebody chose, or what the browser prefers.

import type en from '../messages/en.json'
import { format, type Params } from './message'
import { numbers, shares, tenths, whole } from './written'

export type Key = keyof typeof en
export type Language = 'en' | 'zh-CN'
type Messages = Record<string, string>

/** Every language, by its own name for itself. */
export const LANGUAGES: { code: Language; name: string }[] = [
  { code: 'en', name: 'English' },
  { code: 'zh-CN', name: '简体中文' },
]

const LOADERS: Record<Language, () => Promise<{ default: Messages }>> = {
  en: () => import('../messages/en.json'),
  'zh-CN': () => import('../messages/zh-CN.json'),
}

const KEPT = 'haven.language'

/** Whether dates can be written by it: a browser may name what is no language. */
function isKnown(name: string): boolean {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(name).length > 0
  } catch {
    return false
  }
}

/** A language as the browser prefers it, such as en-GB; the language alone if it has no kind of it. */
export function ownKind(language: Language, preferred: readonly string[]): string {
  const [base] = language.split('-')
  return preferred.find((one) => one.split('-')[0]?.toLowerCase() === base && isKnown(one)) ?? language
}

class Words {
  language = $state<Language>('en')
  messages = $state.raw<Messages>({})
  /** By what dates, numbers and lists are written. */
  locale = $derived(ownKind(this.language, navigator.languages))
}

export const words = new Words()

function preferred(): Language {
  const kept = localStorage.getItem(KEPT)
  if (kept === 'en' || kept === 'zh-CN') return kept
  for (const language of navigator.languages) {
    if (language.toLowerCase().startsWith('zh')) return 'zh-CN'
    if (language.toLowerCase().startsWith('en')) return 'en'
  }
  return 'en'
}

async function speak(language: Language) {
  const loaded = await LOADERS[language]()
  words.messages = loaded.default
  words.language = language
  document.documentElement.lang = language
}

export function loadWords() {
  return speak(preferred())
}

export function chooseLanguage(language: Language) {
  localStorage.setItem(KEPT, language)
  return speak(language)
}

/** A text of the portal in the language of the moment. */
export function t(key: Key, params: Params = {}): string {
  return format(words.messages[key] ?? key, params, words.locale)
}

/** The text of a name that the server made, such as a right; the name itself if there is none. */
export function named(prefix: string, name: string): string {
  return words.messages[`${prefix}.${name}`] ?? name
}

export function number(value: number): string {
  return numbers(words.locale).format(value)
}

/** A share of 1, in whole per cent: what is not quite full is not called full. */
export function percent(share: number): string {
  return shares(words.locale).format(share)
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** A size in bytes, in units of 1024 as registries count them; a number and its unit stay together. */
export function size(bytes: number): string {
  let [value, unit] = [bytes, 0]
  while (value >= 1024 && unit < UNITS.length - 1) [value, unit] = [value / 1024, unit + 1]
  const writer = value < 10 && unit > 0 ? tenths : whole
  return `${writer(words.locale).format(value)}\u00a0${UNITS[unit]}`
}
