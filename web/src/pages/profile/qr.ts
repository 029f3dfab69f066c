// A QR code (ISO/IEC 18004) of a text in bytes, with error correction of level L: as much as
// an address for an authenticator needs, up to version 10.

/** For versions 1 to 10 at level L: words of correction in each block, and the blocks' data words. */
const BLOCKS: [number, number[]][] = [
  [7, [19]],
  [10, [34]],
  [15, [55]],
  [20, [80]],
  [26, [108]],
  [18, [68, 68]],
  [20, [78, 78]],
  [24, [97, 97]],
  [30, [116, 116]],
  [18, [68, 68, 69, 69]],
]
const ALIGNMENT = [[], [6, 18], [6, 22], [6, 26], [6, 30], [6, 34], [6, 22, 38], [6, 24, 42], [6, 26, 46], [6, 28, 50]]

// The field of 256 elements, by 0x11d.
const EXP = new Uint8Array(512)
const LOG = new Uint8Array(256)
for (let i = 0, x = 1; i < 255; i += 1) {
  EXP[i] = EXP[i + 255] = x
  LOG[x] = i
  x = x << 1 > 255 ? (x << 1) ^ 0x11d : x << 1
}
const times = (a: number, b: number) => (a && b ? EXP[LOG[a]! + LOG[b]!]! : 0)

function correction(data: number[], count: number): number[] {
  let generator = [1]
  for (let i = 0; i < count; i += 1) {
    const next = new Array<number>(generator.length + 1).fill(0)
    generator.forEach((factor, j) => {
      next[j]! ^= factor
      next[j + 1]! ^= times(factor, EXP[i]!)
    })
    generator = next
  }
  const rest = [...data, ...new Array<number>(count).fill(0)]
  for (let i = 0; i < data.length; i += 1) {
    const lead = rest[i]!
    if (lead) generator.forEach((factor, j) => (rest[i + j]! ^= times(factor, lead)))
  }
  return rest.slice(data.length)
}

/** The words of a code: data in blocks with their correction, interleaved. */
function words(bytes: Uint8Array): { version: number; stream: number[] } {
  const version = BLOCKS.findIndex(([, blocks], i) => {
    const room = blocks.reduce((sum, one) => sum + one, 0) * 8
    return room >= 4 + (i + 1 < 10 ? 8 : 16) + bytes.length * 8
  }) + 1
  const found = BLOCKS[version - 1]
  if (!found) throw new Error('the text is too long for a code')
  const [count, blocks] = found
  const room = blocks.reduce((sum, one) => sum + one, 0)
  const bits: number[] = []
  const put = (value: number, length: number) => {
    for (let i = length - 1; i >= 0; i -= 1) bits.push((value >> i) & 1)
  }
  put(4, 4)
  put(bytes.length, version < 10 ? 8 : 16)
  for (const byte of bytes) put(byte, 8)
  put(0, Math.min(4, room * 8 - bits.length))
  while (bits.length % 8) bits.push(0)
  const data: number[] = []
  for (let i = 0; i < bits.length; i += 8) data.push(bits.slice(i, i + 8).reduce((value, bit) => value * 2 + bit, 0))
  for (let i = 0; data.length < room; i += 1) data.push(i % 2 ? 0x11 : 0xec)
  const parts: number[][] = []
  let from = 0
  for (const length of blocks) {
    parts.push(data.slice(from, from + length))
    from += length
  }
  const checks = parts.map((part) => correction(part, count))
  const weave = (rows: number[][]) => {
    const woven: number[] = []
    for (let i = 0; i < Math.max(...rows.map((row) => row.length)); i += 1) for (const row of rows) if (i < row.length) woven.push(row[i]!)
    return woven
  }
  return { version, stream: [...weave(parts), ...weave(checks)] }
}

const MASKS: ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(y / 2) + Math.floor(x / 3)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
]

/** What a reader dislikes about a code; the mask with the least is taken. */
function penalty(code: boolean[][]): number {
  const size = code.length
  let sum = 0
  const lines = [code, code.map((_, x) => code.map((row) => row[x]!))]
  for (const line of lines.flat()) {
    let run = 1
    for (let i = 1; i <= size; i += 1) {
      if (i < size && line[i] === line[i - 1]) run += 1
      else {
        if (run >= 5) sum += run - 2
        run = 1
      }
    }
    const text = line.map((dark) => (dark ? '1' : '0')).join('')
    for (const finder of ['10111010000', '00001011101']) for (let at = text.indexOf(finder); at >= 0; at = text.indexOf(finder, at + 1)) sum += 40
  }
  for (let y = 1; y < size; y += 1)
    for (let x = 1; x < size; x += 1) {
      const corner = code[y]![x]
      if (corner === code[y - 1]![x] && corner === code[y]![x - 1] && corner === code[y - 1]![x - 1]) sum += 3
    }
  const dark = code.flat().filter(Boolean).length
  return sum + 10 * Math.floor(Math.abs((100 * dark) / (size * size) - 50) / 5)
}

/** The remainder of the bits of format and version. */
function checked(value: number, length: number, generator: number): number {
  const bits = generator.toString(2).length - 1
  let rest = value << bits
  for (let i = length - 1; i >= 0; i -= 1) if (rest & (1 << (i + bits))) rest ^= generator << i
  return (value << bits) | rest
}

/** The modules of a code, row by row; true is dark. */
export function qr(text: string): boolean[][] {
  const { version, stream } = words(new TextEncoder().encode(text))
  const size = 17 + 4 * version
  const code = Array.from({ length: size }, () => new Array<boolean>(size).fill(false))
  const fixed = Array.from({ length: size }, () => new Array<boolean>(size).fill(false))
  const set = (x: number, y: number, dark: boolean) => {
    if (x < 0 || y < 0 || x >= size || y >= size) return
    code[y]![x] = dark
    fixed[y]![x] = true
  }
  const square = (cx: number, cy: number, rings: boolean[]) => {
    const reach = rings.length - 1
    for (let y = -reach; y <= reach; y += 1) for (let x = -reach; x <= reach; x += 1) set(cx + x, cy + y, rings[Math.max(Math.abs(x), Math.abs(y))]!)
  }
  for (let i = 0; i < size; i += 1) {
    set(6, i, i % 2 === 0)
    set(i, 6, i % 2 === 0)
  }
  const finder = [true, true, false, true, false]
  square(3, 3, finder)
  square(size - 4, 3, finder)
  square(3, size - 4, finder)
  const centres = ALIGNMENT[version - 1]!
  for (const x of centres)
    for (const y of centres) {
      const corner = (x === 6 && (y === 6 || y === size - 7)) || (x === size - 7 && y === 6)
      if (!corner) square(x, y, [true, false, true])
    }
  if (version >= 7) {
    const bits = checked(version, 6, 0x1f25)
    for (let i = 0; i < 18; i += 1) {
      const [a, b] = [Math.floor(i / 3), size - 11 + (i % 3)]
      set(a, b, ((bits >> i) & 1) === 1)
      set(b, a, ((bits >> i) & 1) === 1)
    }
  }
  const format = (mask: number) => {
    // Level L is 01.
    const bits = checked((1 << 3) | mask, 5, 0x537) ^ 0x5412
    const bit = (i: number) => ((bits >> i) & 1) === 1
    for (let i = 0; i < 6; i += 1) set(8, i, bit(i))
    set(8, 7, bit(6))
    set(8, 8, bit(7))
    set(7, 8, bit(8))
    for (let i = 9; i < 15; i += 1) set(14 - i, 8, bit(i))
    for (let i = 0; i < 8; i += 1) set(size - 1 - i, 8, bit(i))
    for (let i = 8; i < 15; i += 1) set(8, size - 15 + i, bit(i))
    set(8, size - 8, true)
  }
  format(0)
  let at = 0
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5
    for (let step = 0; step < size; step += 1) {
      const upwards = ((right + 1) & 2) === 0
      const y = upwards ? size - 1 - step : step
      for (const x of [right, right - 1]) {
        if (fixed[y]![x]) continue
        code[y]![x] = at < stream.length * 8 && ((stream[at >> 3]! >> (7 - (at & 7))) & 1) === 1
        at += 1
      }
    }
  }
  const masked = (mask: number) => code.map((row, y) => row.map((dark, x) => (fixed[y]![x] ? dark : dark !== MASKS[mask]!(x, y))))
  let best = 0
  let least = Infinity
  for (let mask = 0; mask < 8; mask += 1) {
    format(mask)
    const found = penalty(masked(mask))
    if (found < least) [best, least] = [mask, found]
  }
  format(best)
  return masked(best)
}
