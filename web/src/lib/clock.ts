// What time it is. Clocks of browsers are wrong by hours and days; every answer of the server
// tells its own time, and what it says of moments is meant by that.

/** A difference below this is the way of the answer, in milliseconds. */
const NOISE = 60_000

let ahead = 0

/** Takes the time that an answer tells. */
export function setClock(date: string | null) {
  const told = Date.parse(date ?? '')
  if (Number.isNaN(told)) return
  const difference = told - Date.now()
  ahead = Math.abs(difference) < NOISE ? 0 : difference
}

/** The server's time, in milliseconds. */
export function now() {
  return Date.now() + ahead
}
