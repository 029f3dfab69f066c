// How numbers and moments are written in a language. What writes them is kept: to make one takes
// longer than to write a hundred numbers with it.

/** Makes something once for each name. */
function kept<T>(make: (name: string) => T): (name: string) => T {
  const made = new Map<string, T>()
  return (name) => {
    const known = made.get(name)
    if (known !== undefined) return known
    const writer = make(name)
    made.set(name, writer)
    return writer
  }
}

export const numbers = kept((locale) => new Intl.NumberFormat(locale))
export const plurals = kept((locale) => new Intl.PluralRules(locale))
/** Shares of 1, in whole per cent: what is not quite full is not called full. */
export const shares = kept((locale) => new Intl.NumberFormat(locale, { style: 'percent', roundingMode: 'floor' }))
/** Sizes, in units as large as they are, and with a digit more below ten of them. */
export const whole = kept((locale) => new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }))
export const tenths = kept((locale) => new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }))
export const moments = kept((locale) => new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }))
export const days = kept((locale) => new Intl.DateTimeFormat(locale, { dateStyle: 'medium' }))
export const distances = kept((locale) => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }))
export const lists = kept((locale) => new Intl.ListFormat(locale, { type: 'conjunction' }))
/** Spans of time, by the unit that they are told in. */
export const spans = kept((locale) => kept((unit) => new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: 1 })))
/** The parts of a moment that stand beside each other: its day, its time and the zone of that. */
export const weekdays = kept((locale) => new Intl.DateTimeFormat(locale, { weekday: 'short', year: 'numeric', month: 'short', day: 'numeric' }))
export const times = kept((locale) => new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' }))
export const zones = kept((locale) => new Intl.DateTimeFormat(locale, { timeZoneName: 'short' }))
