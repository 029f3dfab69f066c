// Descriptions of repositories, which Harbor's API keeps with what HTML would take for its own escaped.

const MEANT: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&#34;': '"', '&#39;': "'", '&amp;': '&' }

/** What was written. */
export function unescaped(text: string | undefined): string {
  return (text ?? '').replace(/&(?:lt|gt|amp|#34|#39);/g, (one) => MEANT[one] ?? one)
}
