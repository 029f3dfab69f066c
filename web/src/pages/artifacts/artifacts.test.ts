import { beforeAll, expect, test, vi } from 'vitest'
import { additionsOf, beginning, readAddition } from './additions'
import { attributeRows, ownPlatform, platformName } from './attributes'
import { pullCommands, pushCommands, short } from './commands'
import { instruction, readHistory } from './history'
import { isSigned, kindIcon, ownIcon } from './kinds'
import { markdown, type Block, type Inline } from './markdown'
import { yamlLines } from './yaml'

let address: typeof import('./address')
let filter: typeof import('./filter')
const location = { pathname: '/', search: '', origin: 'http://here' }
beforeAll(async () => {
  vi.stubGlobal('window', { location })
  vi.stubGlobal('localStorage', { getItem: () => null })
  address = await import('./address')
  filter = await import('./filter')
})

test('the lines to pull fit the artifact and the server', () => {
  const image = { type: 'IMAGE', repository_name: 'team/web/app', digest: 'sha256:0123456789abcdef' }
  const lines = (...asked: Parameters<typeof pullCommands>) => Object.fromEntries(pullCommands(...asked).map(({ client, text }) => [client, text]))
  expect(lines('r.example:8443', image, '1.0', 'ann')).toEqual({
    docker: 'docker pull r.example:8443/team/web/app:1.0',
    podman: 'podman pull r.example:8443/team/web/app:1.0',
    nerdctl: 'nerdctl pull r.example:8443/team/web/app:1.0',
    ctr: 'ctr images pull --user ann r.example:8443/team/web/app:1.0',
    oras: 'oras copy r.example:8443/team/web/app:1.0 --to-oci-layout app:1.0',
    cosign: 'cosign verify --key cosign.pub r.example:8443/team/web/app:1.0',
  })
  expect(lines('r', image, undefined).docker).toBe('docker pull r/team/web/app@sha256:0123456789abcdef')
  expect(lines('r', image, undefined).ctr).toBe('ctr images pull r/team/web/app@sha256:0123456789abcdef')
  expect(lines('r', image, '1', "robot$o'x").ctr).toBe(`ctr images pull --user 'robot$o'\\''x' r/team/web/app:1`)
  const chart = { ...image, type: 'CHART' }
  expect(lines('r', chart, '1.0_build').helm).toBe('helm pull oci://r/team/web/app --version 1.0+build')
  expect(lines('r', chart, undefined).helm).toBe('helm pull oci://r/team/web/app@sha256:0123456789abcdef')
  expect(Object.keys(lines('r', { ...image, type: 'WASM' }, '1'))).toEqual(['oras', 'cosign'])
  expect(pullCommands('r', { ...image, type: 'UNKNOWN' }, '1')[0]?.client).toBe('oras')
  expect(short('sha256:0123456789abcdef')).toBe('sha256:0123456789ab')
  expect(pushCommands('r', 'team').map(({ client }) => client)).toEqual(['docker', 'podman', 'helm', 'oras'])
  for (const { lines: all } of pushCommands('r', 'team')) expect(all.at(-1)).toContain('r/team')
})

test('the way to an artifact is in its address, and only digests are', () => {
  const [one, two] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`]
  expect(address.artifactHref('team/web/app', one)).toBe(`/projects/team/repositories/web%2Fapp/artifacts/${encodeURIComponent(one)}`)
  const href = address.artifactHref('team/app', two, [one], 'readme.md')
  expect(new URLSearchParams(href.split('?')[1]).get('via')).toBe(one)
  expect(new URLSearchParams(href.split('?')[1]).get('part')).toBe('readme.md')
  const [first, second] = address.steps('team/app', [one, two])
  expect(first).toEqual({ href: address.artifactHref('team/app', one), text: 'sha256:aaaaaaaaaaaa' })
  expect(second?.href).toContain('via=')
})

test('filters of the list become terms that the server knows', () => {
  const asked = (address: Record<string, string>) => filter.filterOf((name) => address[name] ?? '')
  expect(asked({})).toBeUndefined()
  expect(asked({ tag: '1.', type: 'CHART', label: '7', digest: 'ab' })).toBe('tags=~1.,digest=~ab,type=CHART,labels=(7)')
  expect(asked({ untagged: '1', tag: 'x' })).toBe('tags=nil')
  expect(asked({ label: '7) OR 1' })).toBeUndefined()
})

test('platforms are named as clients name them', () => {
  expect(platformName({ os: 'linux', architecture: 'arm', variant: 'v7' })).toBe('linux/arm/v7')
  for (const none of [undefined, null, {}, { os: 'unknown', architecture: 'unknown' }]) expect(platformName(none)).toBe('')
  expect(ownPlatform({ os: 'linux', architecture: 'amd64' })).toBe('linux/amd64')
  for (const none of [undefined, { os: 5, architecture: {} }, { os: 'linux' }]) expect(ownPlatform(none)).toBe('')
})

test('what content says of itself becomes rows', () => {
  const rows = attributeRows({
    architecture: 'amd64',
    author: '',
    config: { Env: ['A=1', 'B=2'], ExposedPorts: { '80/tcp': {} }, Labels: { x: 'y' }, User: null, OnBuild: [] },
    maintainers: [{ name: 'ann' }],
    deep: { a: { b: { c: { d: 1 } } } },
  })
  expect(rows).toEqual([
    { name: 'architecture', lines: ['amd64'] },
    { name: 'config.Env', lines: ['A=1', 'B=2'] },
    { name: 'config.ExposedPorts', lines: ['80/tcp'] },
    { name: 'config.Labels.x', lines: ['y'] },
    { name: 'maintainers', lines: ['{"name":"ann"}'] },
    { name: 'deep.a.b', lines: ['{"c":{"d":1}}'] },
  ])
  expect(attributeRows(undefined)).toEqual([])
  expect(attributeRows(Object.fromEntries(Array.from({ length: 999 }, (_, i) => [`k${i}`, i]))).length).toBe(200)
})

test('signatures are seen, own ones and those of an index', () => {
  const one = (type: string) => ({ accessories: [{ type }], inherited_accessories: [] }) as never
  expect(isSigned(one('signature.notation'))).toBe(true)
  expect(isSigned(one('sbom.harbor'))).toBe(false)
  expect(isSigned({ accessories: [], inherited_accessories: [{ type: 'signature.cosign' }] } as never)).toBe(true)
  expect(isSigned({ accessories: [] } as never)).toBe(false)
  expect([kindIcon('IMAGE'), kindIcon('IMAGE', 2), kindIcon('SOMETHING')]).toEqual(['box', 'layers', 'info'])
  const icon = `sha256:${'a'.repeat(64)}`
  expect(['IMAGE', 'SOMETHING', 'UNKNOWN', 'constructor'].map((type) => ownIcon({ type, icon }))).toEqual([undefined, icon, icon, icon])
  expect(ownIcon({ type: 'UNKNOWN', icon: '' })).toBeUndefined()
})

test('build steps read like a Dockerfile', () => {
  expect(instruction('/bin/sh -c #(nop)  CMD ["sh"]')).toBe('CMD ["sh"]')
  expect(instruction('/bin/sh -c apk add curl')).toBe('RUN apk add curl')
  expect(instruction('RUN /bin/sh -c make # buildkit')).toBe('RUN /bin/sh -c make')
  expect(instruction('|1 V=2 /bin/sh -c make')).toBe('RUN make')
  expect(readHistory('[{"created_by":"COPY . /","empty_layer":true,"created":"2026-01-01T00:00:00Z"},{},null]')).toMatchObject([
    { text: 'COPY . /', isEmpty: true },
    { text: '', isEmpty: false },
    { text: '' },
  ])
  expect(readHistory('{}')).toEqual([])
})

test('of a long text the beginning is drawn', () => {
  expect(beginning('a\nb')).toEqual({ text: 'a\nb', left: 0 })
  const long = beginning('x\n'.repeat(5000))
  expect(long.text.split('\n').length).toBe(2000)
  expect(long.left).toBe(3001)
  expect(beginning('y'.repeat(999_999)).text.length).toBe(200_000)
  expect(readAddition('values.yaml', 'a: 1')).toEqual({ kind: 'text', text: 'a: 1', left: 0 })
  expect(readAddition('dependencies', '[{"name":"redis","version":"1"},null]')).toMatchObject({ charts: [{ name: 'redis', version: '1', repository: '' }, { name: '' }] })
  expect(readAddition('files', 'null')).toEqual({ kind: 'files', nodes: [] })
  const links = { 'values.yaml': { href: '/x', absolute: false }, 'readme.md': { href: '/y', absolute: false } }
  expect(additionsOf({ addition_links: links })).toEqual(['readme.md', 'values.yaml'])
})

test('values are told apart by colour, and every character stays', () => {
  const text = '# top\nimage: "a:b" # why\nport: 8080\non: true\nlist:\n  - name: x\n  - "q"\nscript: |\n  if: no # text\n\n  end\nnext: 1\nurl: http://x#y\r\n"quoted key": ~\n{odd: [}\n'
  const lines = yamlLines(text, 100)
  expect(lines.map((line) => line.map((token) => token.text).join('')).join('\n')).toBe(text.replaceAll('\r', ''))
  const kinds = (n: number) => lines[n]?.map((token) => `${token.kind}:${token.text}`)
  expect(kinds(0)).toEqual(['comment:# top'])
  expect(kinds(1)).toEqual(['key:image', 'plain:: ', 'string:"a:b"', 'comment: # why'])
  expect(kinds(2)).toEqual(['key:port', 'plain:: ', 'number:8080'])
  expect(kinds(3)).toEqual(['key:on', 'plain:: ', 'word:true'])
  expect(kinds(5)).toEqual(['plain:  - ', 'key:name', 'plain:: ', 'plain:x'])
  expect(kinds(8)).toEqual(['string:  if: no # text'])
  expect(kinds(10)).toEqual(['string:  end'])
  expect(kinds(11)).toEqual(['key:next', 'plain:: ', 'number:1'])
  expect(kinds(12)).toEqual(['key:url', 'plain:: ', 'plain:http://x#y'])
  expect(yamlLines('a\n'.repeat(50), 10).length).toBe(10)
})

/** The words of a tree, without what is around them. */
function words(tree: (Block | Inline)[]): string {
  return tree.map((node) => ('text' in node ? node.text : 'parts' in node ? words(node.parts) : 'blocks' in node ? words(node.blocks) : 'items' in node ? node.items.map(words).join('|') : '')).join('')
}

test('Markdown becomes what it says', () => {
  const [heading, paragraph, list, code, table, quote] = markdown(
    '# Redis *chart*\n\nSome **bold** and `code`, [docs](https://example.org "t") and <https://a.b>.\n\n- one\n- two\n  1. deep\n\n```sh\nhelm install\n```\n\n| a | b |\n|---|:-:|\n| 1 | `x\\|y` |\n\n> said\n> so\n',
  )
  expect(heading).toMatchObject({ kind: 'heading', level: 1 })
  expect(words([heading!])).toBe('Redis chart')
  expect(paragraph).toMatchObject({
    kind: 'paragraph',
    parts: [{ text: 'Some ' }, { kind: 'strong' }, { text: ' and ' }, { kind: 'code', text: 'code' }, { text: ', ' }, { kind: 'link', href: 'https://example.org' }, { text: ' and ' }, { kind: 'link', href: 'https://a.b' }, { text: '.' }],
  })
  expect(list).toMatchObject({ kind: 'list', start: undefined, items: [[{ kind: 'paragraph' }], [{ kind: 'paragraph' }, { kind: 'list', start: 1 }]] })
  expect(code).toEqual({ kind: 'code', language: 'sh', text: 'helm install' })
  expect(table).toMatchObject({ kind: 'table', head: [[{ text: 'a' }], [{ text: 'b' }]], rows: [[[{ text: '1' }], [{ kind: 'code', text: 'x|y' }]]] })
  expect(quote).toMatchObject({ kind: 'quote', blocks: [{ kind: 'paragraph' }] })
  expect(markdown('Title\n=====\n\n---\n')).toMatchObject([{ kind: 'heading', level: 1 }, { kind: 'rule' }])
  expect(words(markdown('snake_case_name and 2 * 3 * 4'))).toBe('snake_case_name and 2 * 3 * 4')
})

test('Markdown holds neither scripts nor pictures nor odd links', () => {
  const tree = markdown('<script>alert(1)</script> <img src=x onerror=alert(1)> ![logo](https://evil/x.png) [![badge](https://evil/b.svg)](https://ok.example) [x](javascript:alert) [y](//evil) [z](data:text/html,1) <!-- hidden -->')
  expect(words(tree)).toBe('alert(1)  logo badge x y z')
  const links: unknown[] = []
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    if ((node as Inline).kind === 'link') links.push((node as { href?: string }).href)
    for (const value of Object.values(node)) walk(value)
  }
  walk(tree)
  expect(links).toEqual(['https://ok.example', undefined, undefined, undefined])
  expect(JSON.stringify(tree)).not.toContain('evil')
})

test('Markdown that was made to hurt is read in a moment', () => {
  const begun = performance.now()
  for (const odd of ['[', '![', '*a', '_', '`', '<', '> ', '- ', '|', '  1. ', '[a](', '**', '# ', '<!--', '\\']) {
    expect(markdown(odd.repeat(100_000 / odd.length)).length).toBeGreaterThanOrEqual(0)
    expect(markdown(`${odd}\n`.repeat(10_000)).length).toBeGreaterThanOrEqual(0)
    expect(markdown(`${odd}${' '.repeat(50_000)}x`).length).toBeGreaterThanOrEqual(0)
  }
  for (const odd of ['a', '- a', 'a: "', "a: '", '#']) expect(yamlLines(`${odd}${' '.repeat(50_000)}x\n`.repeat(20), 100).length).toBe(21)
  expect(instruction(`RUN x${' '.repeat(500_000)}y`).length).toBe(500_006)
  expect(performance.now() - begun).toBeLessThan(20_000)
})
