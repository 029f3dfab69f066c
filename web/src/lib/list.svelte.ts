// A list as its address says: page, sort, filters. `page` counts from 1.

import type { Page } from '../api/client'
import { query } from './query.svelte'
import { place, setQuery } from './router.svelte'

export const PAGE_SIZES = [15, 25, 50, 100]
const KEPT = 'haven.pageSize'

export interface Asked {
  page: number
  page_size: number
  sort: string | undefined
  /** What a filter says, by its parameter. */
  filter: (name: string) => string
  signal: AbortSignal
}

export interface ListOptions<T> {
  /** What is kept under, with whatever else the list depends on; undefined while unknown. */
  key: () => unknown[] | undefined
  load: (asked: Asked) => Promise<Page<T>>
  /** The parameters of the address that filter. */
  filters?: string[]
  sort?: string
}

export type List<T> = ReturnType<typeof list<T>>

export function list<T>(options: ListOptions<T>) {
  const filters = options.filters ?? []
  const page = $derived(Math.max(1, Number(place.query.get('page')) || 1))
  const kept = Number(localStorage.getItem(KEPT))
  const usual = PAGE_SIZES.includes(kept) ? kept : 25
  const pageSize = $derived.by(() => {
    const asked = Number(place.query.get('page_size'))
    return PAGE_SIZES.includes(asked) ? asked : usual
  })
  const sort = $derived(place.query.get('sort') ?? options.sort)
  const found = query(
    () => {
      const key = options.key()
      return key && [...key, 'list', page, pageSize, sort ?? '', ...filters.map((name) => place.query.get(name) ?? '')]
    },
    (signal) =>
      options.load({
        page,
        page_size: pageSize,
        sort,
        filter: (name) => place.query.get(name) ?? '',
        signal,
      }),
  )
  return {
    found,
    get items() {
      return found.data?.items ?? []
    },
    get total() {
      return found.data?.total ?? 0
    },
    get page() {
      return page
    },
    get pageSize() {
      return pageSize
    },
    get sort() {
      return sort
    },
    get isFiltered() {
      return filters.some((name) => place.query.get(name))
    },
    filter(name: string) {
      return place.query.get(name) ?? ''
    },
    setFilter(name: string, value: string) {
      setQuery({ [name]: value, page: undefined }, { replace: true })
    },
    clearFilters() {
      setQuery({ ...Object.fromEntries(filters.map((name) => [name, undefined])), page: undefined })
    },
    setPage(next: number, how: { replace?: boolean } = {}) {
      setQuery({ page: next === 1 ? undefined : next }, how)
    },
    setPageSize(next: number) {
      localStorage.setItem(KEPT, String(next))
      setQuery({ page_size: next, page: undefined })
    },
    setSort(next: string | undefined) {
      setQuery({ sort: next === options.sort ? undefined : next, page: undefined })
    },
    /** Everything that the filters let through, page by page; at most 10,000 rows. */
    async all(): Promise<T[]> {
      const rows: T[] = []
      const controller = new AbortController()
      for (let next = 1; rows.length < 10_000; next += 1) {
        const more = await options.load({
          page: next,
          page_size: 100,
          sort,
          filter: (name) => place.query.get(name) ?? '',
          signal: controller.signal,
        })
        rows.push(...more.items)
        if (more.items.length < 100 || rows.length >= more.total) break
      }
      return rows
    },
  }
}

/**
 * A term of Harbor's `q`: a field contains a value. No value can hold the comma that divides
 * terms; what is encoded is decoded once more by the server, so a percent sign stays one.
 */
export function contains(field: string, value: string): string | undefined {
  const clean = value.replaceAll(',', ' ').trim()
  return clean ? `${field}=~${encodeURIComponent(clean)}` : undefined
}

/** A term of `q`: a field equals a value. */
export function equals(field: string, value: string): string | undefined {
  const clean = value.replaceAll(',', ' ').trim()
  return clean ? `${field}=${encodeURIComponent(clean)}` : undefined
}

/** Terms that all have to be met. */
export function allOf(...terms: (string | undefined)[]): string | undefined {
  return terms.filter(Boolean).join(',') || undefined
}
