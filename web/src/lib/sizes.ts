// Sizes as people enter them.

export const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const
export type Unit = (typeof UNITS)[number]

/** The largest limit that the server takes, as Harbor does: 1024 TiB. */
export const LARGEST = 2 ** 50

/** A size in the largest unit in which it is a whole number. */
export function fromBytes(bytes: number): { text: string; unit: Unit } {
  let at = 0
  let value = bytes
  while (at < UNITS.length - 1 && value > 0 && value % 1024 === 0) [value, at] = [value / 1024, at + 1]
  return { text: String(value), unit: UNITS[at] ?? 'B' }
}

/** How many bytes a number in a unit is; nothing where that can be no limit. */
export function toBytes(text: string, unit: Unit): number | undefined {
  const clean = text.trim().replace(',', '.')
  if (!/^\d{1,16}(\.\d{1,6})?$/.test(clean)) return undefined
  const bytes = Math.round(Number(clean) * 1024 ** UNITS.indexOf(unit))
  return bytes >= 1 && bytes <= LARGEST ? bytes : undefined
}
