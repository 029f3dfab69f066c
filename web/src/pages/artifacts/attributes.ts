// What an artifact's content says of it, as rows of a table.

export interface Attribute {
  /** The way to the value, such as `config.Env`. */
  name: string
  /** One line, or one for each entry of a list. */
  lines: string[]
}

const MOST = 200
const DEEPEST = 3

const isText = (value: unknown) => ['string', 'number', 'boolean'].includes(typeof value)

/** The values of attributes, those within others by their way. What is empty is left out. */
export function attributeRows(attributes: Record<string, unknown> | null | undefined): Attribute[] {
  const rows: Attribute[] = []
  const walk = (value: unknown, name: string, depth: number) => {
    if (rows.length >= MOST || value === null || value === undefined || value === '') return
    if (isText(value)) rows.push({ name, lines: [String(value)] })
    else if (Array.isArray(value)) {
      const entries: unknown[] = value.slice(0, MOST)
      if (entries.length > 0) rows.push({ name, lines: entries.map((entry) => (isText(entry) ? String(entry) : JSON.stringify(entry))) })
    } else if (typeof value === 'object') {
      const members = Object.entries(value)
      if (members.length > 0 && members.every(([, member]) => isEmptyObject(member))) rows.push({ name, lines: members.map(([key]) => key) })
      else if (depth >= DEEPEST) rows.push({ name, lines: [JSON.stringify(value)] })
      else for (const [key, member] of members) walk(member, name ? `${name}.${key}` : key, depth + 1)
    }
  }
  walk(attributes ?? {}, '', 0)
  return rows
}

/** Docker writes sets as objects whose members are empty: `{"80/tcp": {}}`. */
function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
}

export interface Platform {
  os?: string | null
  architecture?: string | null
  variant?: string | null
}

/** A platform as clients name it; nothing for what says none. */
export function platformName(platform: Platform | null | undefined): string {
  const { os, architecture, variant } = platform ?? {}
  if (!os || os === 'unknown') return ''
  return [os, architecture, variant].filter(Boolean).join('/')
}

/** The platform of an image that is no index, by what its configuration says. */
export function ownPlatform(attributes: Record<string, unknown> | null | undefined): string {
  const text = (value: unknown) => (typeof value === 'string' ? value : '')
  const { os, architecture, variant } = attributes ?? {}
  return text(architecture) && platformName({ os: text(os), architecture: text(architecture), variant: text(variant) })
}
