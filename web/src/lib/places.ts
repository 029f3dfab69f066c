// By what the rows of a list are kept in the document. A row that stays keeps its place, with the
// focus in it and whatever is open. A page that is turned to takes the places of the one before it:
// to write other words into a row takes a fraction of what it takes to build one.

type Id = string | number

export class Places {
  #places = new Map<Id, number>()
  #page: string | undefined
  #next = 0

  /** The places of the rows of a page, in their order. */
  of(rows: Id[], page: string | undefined): number[] {
    const left = page === this.#page ? undefined : [...this.#places.values()]
    this.#page = page
    const places = rows.map((row, i) => (left ? left[i] : this.#places.get(row)) ?? (this.#next += 1))
    this.#places = new Map(rows.map((row, i) => [row, places[i] as number]))
    return places
  }
}
