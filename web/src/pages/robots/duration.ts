/** What the server calls the duration of what does not end. */
export const NEVER = -1

/** The most days that the server takes. */
const MOST = 2 ** 31 - 2

/** How many days a text says; nothing where that can be none. */
export function daysOf(text: string): number | undefined {
  if (!/^\d{1,10}$/.test(text.trim())) return undefined
  const days = Number(text)
  return days >= 1 && days <= MOST ? days : undefined
}
