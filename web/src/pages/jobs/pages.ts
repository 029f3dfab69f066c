import type { Page } from '../../api/client'

/** A page of what the server tells all at once. */
export function pageOf<T>(all: T[], page: number, size: number): Page<T> {
  return { items: all.slice((page - 1) * size, page * size), total: all.length }
}
