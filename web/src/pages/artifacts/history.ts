// The steps by which an image was built, as people write them in a Dockerfile.

export interface Step {
  created: string | undefined
  text: string
  comment: string
  /** Whether it added nothing to the image's files. */
  isEmpty: boolean
}

/** What the server tells of the history; nothing for what is none. */
export function readHistory(text: string): Step[] {
  const told: unknown = JSON.parse(text)
  if (!Array.isArray(told)) return []
  return told.map((step: Record<string, unknown> | null) => ({
    created: typeof step?.created === 'string' ? step.created : undefined,
    text: instruction(typeof step?.created_by === 'string' ? step.created_by : ''),
    comment: typeof step?.comment === 'string' ? step.comment : '',
    isEmpty: step?.empty_layer === true,
  }))
}

/** An instruction without what builders wrap around it. */
export function instruction(text: string): string {
  const whole = text.trim()
  const clean = whole.endsWith('# buildkit') ? whole.slice(0, -'# buildkit'.length).trimEnd() : whole
  const noted = /^\/bin\/sh -c #\(nop\)\s*([\s\S]*)$/.exec(clean)
  if (noted) return noted[1] ?? ''
  const run = /^(?:\|\d+\s[\s\S]*?)?\/bin\/sh -c\s+([\s\S]*)$/.exec(clean)
  return run ? `RUN ${run[1] ?? ''}` : clean
}
