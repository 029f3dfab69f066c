import type { Snippet } from 'svelte'

export interface Column<T> {
  /** Its name in links and in what is kept. */
  id: string
  title: string
  /** What the server calls it, if it can be sorted by it. */
  sort?: string
  /** Numbers stand at the end. */
  end?: boolean
  /** Whether it is shown unless somebody chooses it. */
  hidden?: boolean
  /** Whether it gives way on a narrow screen; what is very wide gives way on a tablet, too. */
  wide?: boolean | 'very'
  cell?: Snippet<[T]>
  /** As text: for a cell without a snippet, and for the file. */
  text: (row: T) => string | number | boolean | null | undefined
}
