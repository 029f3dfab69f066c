// How a message is written: `{name}` is replaced; forms for one and for many stand beside each
// other, divided by ` | `, and `n` chooses. A language without such forms writes one; where one
// thing is called by its name and many are counted, it has two as well.

import { numbers, plurals } from './written'

export type Params = Record<string, string | number>

export function format(message: string, params: Params, language: string): string {
  const forms = message.split(' | ')
  const n = params.n
  let text = message
  if (forms.length > 1) {
    const one = n === 1 || (typeof n === 'number' && plurals(language).select(n) === 'one')
    text = (one ? forms[0] : forms[1]) ?? message
  }
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name]
    if (value === undefined) return whole
    return typeof value === 'number' ? numbers(language).format(value) : value
  })
}
