/** The path of a page of the portal that an address names, or the first page. */
export function ownPath(text: string | null): string {
  if (!text || !/^\/(?![/\\])/.test(text) || text.includes('\\')) return '/'
  if (/[\u0000-\u0020]/.test(text)) return '/'
  return text.startsWith('/sign-in') ? '/' : text
}
