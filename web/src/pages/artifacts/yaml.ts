// The parts of a YAML text that are told apart by colour. It is read line by line and never
// understood: whatever it is, every character of it is shown.

export interface Token {
  kind: 'plain' | 'key' | 'comment' | 'string' | 'number' | 'word'
  text: string
}

const WORDS = /^(?:true|false|yes|no|on|off|null|~)$/i
const NUMBER = /^[-+]?(?:0x[\da-f]+|0o[0-7]+|\d[\d_]*(?:\.\d*)?(?:e[-+]?\d+)?|\.\d+|\.inf|\.nan)$/i

/** A longer line is not taken apart. */
const LONGEST = 1000

/** The first lines of a text, at most so many, each in its parts. */
export function yamlLines(text: string, most: number): Token[][] {
  const lines: Token[][] = []
  // How far a text of several lines is indented less, while one goes on.
  let block: number | undefined
  for (const line of text.split('\n', most)) {
    const clean = line.endsWith('\r') ? line.slice(0, -1) : line
    const indent = clean.length - clean.trimStart().length
    if (clean.length > LONGEST) {
      lines.push([{ kind: 'plain', text: clean }])
      continue
    }
    if (block !== undefined) {
      if (clean.trim() === '' || indent > block) {
        lines.push(clean === '' ? [] : [{ kind: 'string', text: clean }])
        continue
      }
      block = undefined
    }
    lines.push(parts(clean))
    if (/(?:^|[\s:-])[|>][-+\d]{0,2}\s*(?:#.*)?$/.test(clean) && !clean.trimStart().startsWith('#')) block = indent
  }
  return lines
}

function parts(line: string): Token[] {
  const found: Token[] = []
  const add = (kind: Token['kind'], text: string) => {
    if (text) found.push({ kind, text })
  }
  const begin = /^\s*(?:- +)*/.exec(line)?.[0] ?? ''
  add('plain', begin)
  let rest = line.slice(begin.length)
  if (rest.startsWith('#')) {
    add('comment', rest)
    return found
  }
  const key = /^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#:'"[\]{}][^:#'"]*?)(?=\s*:(?:\s|$))/.exec(rest)?.[0]
  if (key !== undefined) {
    add('key', key)
    rest = rest.slice(key.length)
    const colon = /^\s*:\s*/.exec(rest)?.[0] ?? ''
    add('plain', colon)
    rest = rest.slice(colon.length)
  }
  const quoted = /^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')/.exec(rest)?.[0]
  const comment = quoted === undefined ? rest.search(/(?:^|\s)#/) : rest.slice(quoted.length).search(/\s#/)
  const cut = comment < 0 ? rest.length : comment + (quoted?.length ?? 0)
  const value = rest.slice(0, cut)
  const bare = value.trim()
  if (quoted !== undefined) {
    add('string', quoted)
    add('plain', value.slice(quoted.length))
  } else add(WORDS.test(bare) ? 'word' : NUMBER.test(bare) ? 'number' : 'plain', value)
  add('comment', rest.slice(cut))
  return found
}
