// Compresses what was built, once and as well as it can be, for the binary to embed; and holds
// what a browser loads first to its limit.

import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const SITE = new URL('../dist/site/', import.meta.url).pathname
/** The most JavaScript that the first page may need, compressed, in bytes. */
const LIMIT = 150 * 1024
const TEXT = /\.(html|js|css|json|svg|txt)$/

const files = readdirSync(SITE, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name))

const packed = new Map()
for (const file of files) {
  if (!TEXT.test(file) || file.includes('/.vite/')) continue
  const plain = readFileSync(file)
  const brotli = brotliCompressSync(plain, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length },
  })
  packed.set(file.slice(SITE.length), brotli.length)
  if (brotli.length >= plain.length * 0.95) continue
  writeFileSync(`${file}.br`, brotli)
  writeFileSync(`${file}.gz`, gzipSync(plain, { level: 9 }))
}

// The manifest says what needs what; nobody else has to know.
const manifest = JSON.parse(readFileSync(join(SITE, '.vite/manifest.json'), 'utf8'))
rmSync(join(SITE, '.vite'), { recursive: true })

/** Every script that one needs. */
function needs(name, found = new Set()) {
  const chunk = manifest[name]
  if (!chunk || found.has(chunk.file)) return found
  found.add(chunk.file)
  for (const other of chunk.imports ?? []) needs(other, found)
  return found
}

const size = (scripts) => [...scripts].reduce((sum, file) => sum + (packed.get(file) ?? statSync(join(SITE, file)).size), 0)
const entry = needs('index.html')
const words = Object.keys(manifest).filter((name) => name.startsWith('src/messages/'))
const pages = Object.keys(manifest).filter((name) => name.startsWith('src/pages/') && manifest[name].isDynamicEntry)
const first = pages
  .flatMap((page) => words.map((word) => ({ page, size: size(new Set([...entry, ...needs(page), ...needs(word)])) })))
  .sort((a, b) => b.size - a.size)[0]
const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`
console.log(`The frame needs ${kib(size(entry))} of compressed JavaScript, the heaviest page in all ${kib(first.size)} (${first.page}).`)
if (first.size > LIMIT) {
  console.error(`That is more than ${kib(LIMIT)}.`)
  process.exit(1)
}
