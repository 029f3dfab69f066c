import type { Quota } from '../../api/client'

/** How many bytes a project uses. */
export const usedOf = (quota: Quota) => quota.used.storage ?? 0

/** How many bytes a project may use; -1 for no limit. */
export const hardOf = (quota: Quota) => quota.hard.storage ?? -1

const text = (value: unknown) => (typeof value === 'string' ? value : '')

/** The name of the project. */
export const projectOf = (quota: Quota) => text(quota.ref.name)

/** The name of the project's owner. */
export const ownerOf = (quota: Quota) => text(quota.ref.owner_name)
