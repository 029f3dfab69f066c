// The texts of the portal, so that a journey is told once and made in either language.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { format, type Params } from '../src/lib/message'
import type en from '../src/messages/en.json'

export type Text = (key: keyof typeof en, params?: Params) => string

export function words(locale: string): Text {
  const language = locale.startsWith('zh') ? 'zh-CN' : 'en'
  const file = resolve(import.meta.dirname, `../src/messages/${language}.json`)
  const messages = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>
  return (key, params = {}) => {
    const text = messages[key]
    if (text === undefined) throw new Error(`no text ${key}`)
    return format(text, params, language)
  }
}
