/** Patterns of repositories, one a line; none of them means all repositories. */
export function readPatterns(text: string): string[] | null {
  const patterns = text.split('\n').map((line) => line.trim()).filter(Boolean)
  return patterns.length ? patterns : null
}

export function writePatterns(patterns: string[] | null | undefined): string {
  return (patterns ?? []).join('\n')
}
