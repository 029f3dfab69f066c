// The message that an administrator shows to everybody: Harbor keeps it as JSON in a text.

export const BANNER_TYPES = ['info', 'success', 'warning', 'danger'] as const
export type BannerType = (typeof BANNER_TYPES)[number]

export interface Banner {
  message: string
  type: BannerType
  closable: boolean
  /** Days between which it is shown. */
  fromDate: string
  toDate: string
}

/** What a text says, whether or not it is shown today. */
export function parseBanner(text: string): Banner | undefined {
  if (!text.trim()) return undefined
  let read: Partial<Record<keyof Banner, unknown>>
  try {
    read = JSON.parse(text) as typeof read
  } catch {
    read = { message: text }
  }
  if (typeof read !== 'object' || read === null || typeof read.message !== 'string' || !read.message) return undefined
  const day = (value: unknown) => (typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? value : '')
  return {
    message: read.message,
    type: BANNER_TYPES.find((type) => type === read.type) ?? 'warning',
    closable: read.closable === true,
    fromDate: day(read.fromDate),
    toDate: day(read.toDate),
  }
}

/** What is shown at a moment. */
export function readBanner(text: string, now: Date): Banner | undefined {
  const banner = parseBanner(text)
  if (!banner) return undefined
  const day = 24 * 3600 * 1000
  if (banner.fromDate && now.getTime() < Date.parse(banner.fromDate)) return undefined
  if (banner.toDate && now.getTime() >= Date.parse(banner.toDate) + day) return undefined
  return banner
}
