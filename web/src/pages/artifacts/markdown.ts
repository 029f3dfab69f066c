// Markdown as a tree that components draw: texts and nothing else, so that whatever somebody
// wrote into it can neither run nor load anything. HTML is left out, pictures are their words.

export type Inline =
  | { kind: 'text' | 'code'; text: string }
  | { kind: 'strong' | 'emphasis' | 'struck'; parts: Inline[] }
  | { kind: 'link'; href: string | undefined; parts: Inline[] }
  | { kind: 'break' }

export type Block =
  | { kind: 'heading'; level: number; parts: Inline[] }
  | { kind: 'paragraph'; parts: Inline[] }
  | { kind: 'code'; language: string; text: string }
  | { kind: 'quote'; blocks: Block[] }
  | { kind: 'list'; start: number | undefined; items: Block[][] }
  | { kind: 'table'; head: Inline[][]; rows: Inline[][][] }
  | { kind: 'rule' }

const DEEPEST = 6
const MOST_ROWS = 500
/** What is longer without an empty line is shown as it is. */
const LONGEST = 10_000
/** A longer line is words and nothing else: what looks for more in it takes too long. */
const LONGEST_MARK = 1000

/** The blocks of a text. */
export function markdown(text: string): Block[] {
  const clean = text.replaceAll('\r\n', '\n').replaceAll('\t', '    ')
  const tree = blocks(withoutComments(clean).split('\n'), 0)
  // No heading is more than one level below the one before it: readers find their way by them.
  let level = 0
  return tree.map((block) => (block.kind === 'heading' ? { ...block, level: (level = Math.min(block.level, level + 1)) } : block))
}

/** What stands between comments of HTML. */
function withoutComments(text: string): string {
  let out = ''
  let at = 0
  for (;;) {
    const begin = text.indexOf('<!--', at)
    const end = begin < 0 ? -1 : text.indexOf('-->', begin + 4)
    if (end < 0) return out + text.slice(at)
    out += text.slice(at, begin)
    at = end + 3
  }
}

const FENCE = /^ {0,3}(`{3,}|~{3,})([^`]*)$/
const HEADING = /^ {0,3}(#{1,6})(?:\s+|$)(.*?)(?:\s+#+)?\s*$/
const RULE = /^ {0,3}(?:(?:\*\s*){3,}|(?:-\s*){3,}|(?:_\s*){3,})$/
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])( {1,4}|$)/
const QUOTE = /^ {0,3}>\s?/
const DIVIDER = /^ {0,3}\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/

function blocks(lines: string[], depth: number): Block[] {
  const found: Block[] = []
  let paragraph: string[] = []
  const end = () => {
    const words = paragraph.join('\n').trim()
    paragraph = []
    const parts = inline(words, 0)
    if (parts.length > 0) found.push({ kind: 'paragraph', parts })
  }
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? ''
    const next = lines[at + 1] ?? ''
    if (line.length > LONGEST_MARK || next.length > LONGEST_MARK) {
      if (line.trim() === '') end()
      else paragraph.push(line.trimStart())
      at += 1
      continue
    }
    const fence = FENCE.exec(line)
    const heading = HEADING.exec(line)
    if (fence) {
      end()
      const mark = fence[1] ?? '```'
      let to = at + 1
      while (to < lines.length && !closes(lines[to] ?? '', mark)) to += 1
      found.push({ kind: 'code', language: (fence[2] ?? '').trim().split(' ')[0] ?? '', text: lines.slice(at + 1, to).join('\n') })
      at = to + 1
    } else if (heading) {
      end()
      found.push({ kind: 'heading', level: (heading[1] ?? '#').length, parts: inline(heading[2] ?? '', 0) })
      at += 1
    } else if (paragraph.length > 0 && /^ {0,3}(?:=+|-+)\s*$/.test(line)) {
      const words = paragraph.join('\n').trim()
      paragraph = []
      found.push({ kind: 'heading', level: line.trim().startsWith('=') ? 1 : 2, parts: inline(words, 0) })
      at += 1
    } else if (RULE.test(line)) {
      end()
      found.push({ kind: 'rule' })
      at += 1
    } else if (QUOTE.test(line) && depth < DEEPEST) {
      end()
      let to = at
      while (to < lines.length && QUOTE.test(lines[to] ?? '')) to += 1
      const inner = lines.slice(at, to).map((one) => one.replace(QUOTE, ''))
      found.push({ kind: 'quote', blocks: blocks(inner, depth + 1) })
      at = to
    } else if (ITEM.test(line) && depth < DEEPEST) {
      end()
      const [list, to] = readList(lines, at, depth)
      found.push(list)
      at = to
    } else if (paragraph.length === 0 && line.includes('|') && next.includes('-') && next.includes('|') && DIVIDER.test(next)) {
      let to = at + 2
      while (to < lines.length && (lines[to] ?? '').includes('|')) to += 1
      const rows = lines.slice(at + 2, Math.min(to, at + 2 + MOST_ROWS))
      found.push({ kind: 'table', head: cells(line), rows: rows.map(cells) })
      at = to
    } else if (/^ {4}\S/.test(line) && paragraph.length === 0) {
      let to = at
      while (to < lines.length && (/^ {4}/.test(lines[to] ?? '') || (lines[to] ?? '').trim() === '')) to += 1
      const text = lines.slice(at, to).map((one) => one.slice(4)).join('\n').trimEnd()
      found.push({ kind: 'code', language: '', text })
      at = to
    } else {
      if (line.trim() === '') end()
      else paragraph.push(line.trimStart())
      at += 1
    }
  }
  end()
  return found
}

const closes = (line: string, mark: string) => line.trim().startsWith(mark) && line.trim().replaceAll(mark[0] ?? '`', '') === ''

/** A list from a line on, and the line behind it. */
function readList(lines: string[], from: number, depth: number): [Block, number] {
  const first = ITEM.exec(lines[from] ?? '')
  const isNumbered = /\d/.test(first?.[2] ?? '')
  const items: Block[][] = []
  let at = from
  while (at < lines.length) {
    const mark = ITEM.exec(lines[at] ?? '')
    if (!mark || /\d/.test(mark[2] ?? '') !== isNumbered || RULE.test(lines[at] ?? '')) break
    const width = mark[0].length || 2
    const inner = [(lines[at] ?? '').slice(mark[0].length)]
    at += 1
    for (; at < lines.length; at += 1) {
      const line = lines[at] ?? ''
      const indent = line.length - line.trimStart().length
      if (line.trim() === '') {
        const after = lines[at + 1] ?? ''
        if (after.trim() === '' || after.length - after.trimStart().length < Math.min(width, 2)) break
        inner.push('')
      } else if (indent >= Math.min(width, 2)) inner.push(line.slice(Math.min(indent, width)))
      else if (ITEM.test(line) || HEADING.test(line) || FENCE.test(line) || QUOTE.test(line)) break
      else inner.push(line)
    }
    items.push(blocks(inner, depth + 1))
    while (at < lines.length && (lines[at] ?? '').trim() === '' && ITEM.test(lines[at + 1] ?? '')) at += 1
  }
  return [{ kind: 'list', start: isNumbered ? Number.parseInt(first?.[2] ?? '1', 10) : undefined, items }, at]
}

function cells(line: string): Inline[][] {
  const inner = line.trim().replace(/^\|/, '').replace(/\|$/, '')
  return inner.split(/(?<!\\)\|/).map((cell) => inline(cell.trim().replaceAll('\\|', '|'), 0))
}

/** What begins something within a line, longest first. */
const MARKS = /(`+)|!\[([^\]]*)\]\(([^()\s]*)(?:\s+"[^"]*")?\)|!\[([^\]]*)\]\[[^\]]*\]|\[((?:[^[\]]|!?\[[^[\]]*\](?:\([^()]*\)|\[[^\]]*\])?)*)\](?:\(\s*<?([^()\s>]*)>?(?:\s+"[^"]*")?\s*\)|\[[^\]]*\])|<(https?:\/\/[^\s<>]+)>|<\/?[a-zA-Z][^<>]*>|(\*\*|__|~~)(?=\S)|(\*|_)(?=\S)|\\([\\`*_{}[\]()#+.!|<>~-])|( {2,}\n|\\\n)|(https?:\/\/[^\s<>()[\]'"]+)/g

/** What stands within a line or paragraph. */
function inline(text: string, depth: number): Inline[] {
  const found: Inline[] = []
  const say = (words: string) => {
    if (!words) return
    const last = found.at(-1)
    if (last?.kind === 'text') last.text += words
    else found.push({ kind: 'text', text: words })
  }
  if (text.length > LONGEST) return [{ kind: 'text', text }]
  const within = (words: string): Inline[] => (depth < DEEPEST ? inline(words, depth + 1) : [{ kind: 'text', text: words }])
  const marks = new RegExp(MARKS)
  let at = 0
  for (;;) {
    marks.lastIndex = at
    const mark = marks.exec(text)
    if (!mark) break
    say(text.slice(at, mark.index))
    const [whole, ticks, picture, , other, words, href, address, pair, single, escaped, breaks, bare] = mark
    at = mark.index + whole.length
    if (ticks !== undefined) {
      const close = text.indexOf(ticks, at)
      if (close < 0) say(ticks)
      else {
        found.push({ kind: 'code', text: text.slice(at, close).replaceAll('\n', ' ').replace(/^ (.+) $/, '$1') })
        at = close + ticks.length
      }
    } else if (picture !== undefined || other !== undefined) say(picture ?? other ?? '')
    else if (words !== undefined) {
      const parts = within(words)
      if (parts.length > 0) found.push({ kind: 'link', href: safe(href ?? ''), parts })
    } else if (address !== undefined || bare !== undefined) {
      const link = (address ?? bare ?? '').replace(/[.,;:!?]+$/, '')
      if (bare !== undefined) at = mark.index + link.length
      found.push({ kind: 'link', href: safe(link), parts: [{ kind: 'text', text: link }] })
    } else if (pair !== undefined || single !== undefined) {
      const sign = pair ?? single ?? ''
      const close = closing(text, sign, at)
      // An underscore within a word is one.
      if (close < 0 || (sign.startsWith('_') && /\w/.test(text[mark.index - 1] ?? ''))) say(sign)
      else {
        const kind = sign === '~~' ? 'struck' : sign.length === 2 ? 'strong' : 'emphasis'
        found.push({ kind, parts: within(text.slice(at, close)) })
        at = close + sign.length
      }
    } else if (escaped !== undefined) say(escaped)
    else if (breaks !== undefined || /^<br\b/i.test(whole)) found.push({ kind: 'break' })
  }
  say(text.slice(at))
  return found
}

/** Where what a sign began ends; -1 if it does not. */
function closing(text: string, sign: string, from: number): number {
  for (let at = text.indexOf(sign, from); at >= 0; at = text.indexOf(sign, at + 1)) {
    if (at === from || /\s/.test(text[at - 1] ?? ' ') || text[at - 1] === '\\') continue
    if (sign.length === 1 && (text[at + 1] === sign || text[at - 1] === sign)) continue
    return at
  }
  return -1
}

/** An address that a link may have: one of another place, which opens when somebody chooses. */
function safe(href: string): string | undefined {
  if (!/^(?:https?:\/\/|mailto:)/i.test(href)) return undefined
  return URL.canParse(href) ? href : undefined
}
