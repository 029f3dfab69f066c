// What journeys push beside single images: indexes, signatures, charts.

import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { ADMIN, type Server } from './server'

const AUTHORIZATION = `Basic ${btoa(`${ADMIN.name}:${ADMIN.password}`)}`
const IMAGE = 'application/vnd.oci.image.manifest.v1+json'

const digestOf = (content: string | Uint8Array) => `sha256:${createHash('sha256').update(content).digest('hex')}`

/** Puts something into the registry, as clients do. */
async function put(url: string, type: string, body: string | Uint8Array<ArrayBuffer>) {
  const answer = await fetch(url, { method: 'PUT', headers: { Authorization: AUTHORIZATION, 'Content-Type': type }, body })
  if (answer.status !== 201) throw new Error(`PUT ${url}: ${answer.status} ${await answer.text()}`)
}

/** Pushes a blob and says how manifests refer to it. */
async function blob(server: Server, repository: string, content: string | Uint8Array<ArrayBuffer>) {
  const digest = digestOf(content)
  const begun = await fetch(`${server.url}/v2/${repository}/blobs/uploads/`, { method: 'POST', headers: { Authorization: AUTHORIZATION } })
  const to = new URL(begun.headers.get('Location') ?? '', server.url)
  to.searchParams.set('digest', digest)
  await put(to.href, 'application/octet-stream', content)
  return { digest, size: Buffer.byteLength(content) }
}

/** Pushes a manifest by tag, or by its digest; says its digest and size. */
async function manifest(server: Server, repository: string, tag: string | undefined, content: { mediaType: string; [name: string]: unknown }) {
  const text = JSON.stringify({ schemaVersion: 2, ...content })
  const digest = digestOf(text)
  await put(`${server.url}/v2/${repository}/manifests/${tag ?? digest}`, content.mediaType, text)
  return { mediaType: content.mediaType, digest, size: Buffer.byteLength(text) }
}

/** Pushes a small image without a tag. */
async function pushImage(server: Server, repository: string, content: string, architecture: string) {
  const history = [{ created: '2026-01-02T03:04:05Z', created_by: '/bin/sh -c #(nop) ADD file:1 in /' }, { created_by: 'CMD ["sh"]', empty_layer: true }]
  const config = await blob(server, repository, JSON.stringify({ architecture, os: 'linux', rootfs: { type: 'layers', diff_ids: [] }, history, note: content }))
  const layer = await blob(server, repository, content)
  const image = await manifest(server, repository, undefined, {
    mediaType: IMAGE,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...layer }],
  })
  return image.digest
}

/** Pushes an image for two platforms, as buildx does; says the digests of the index and of its parts. */
export async function pushIndex(server: Server, repository: string, tag: string) {
  const manifests = []
  for (const architecture of ['amd64', 'arm64']) {
    const digest = await pushImage(server, repository, `${repository}:${tag} for ${architecture}`, architecture)
    manifests.push({ mediaType: IMAGE, digest, size: 1, platform: { os: 'linux', architecture } })
  }
  const index = await manifest(server, repository, tag, { mediaType: 'application/vnd.oci.image.index.v1+json', manifests })
  return { index: index.digest, parts: manifests.map((one) => one.digest) }
}

/** Pushes a signature of an artifact, as cosign does. */
export async function sign(server: Server, repository: string, digest: string) {
  const config = await blob(server, repository, '{}')
  const layer = await blob(server, repository, JSON.stringify({ signed: digest }))
  const signature = await manifest(server, repository, undefined, {
    mediaType: IMAGE,
    artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    config: { mediaType: 'application/vnd.oci.empty.v1+json', ...config },
    layers: [{ mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json', ...layer }],
    subject: { mediaType: IMAGE, digest, size: 1 },
  })
  return signature.digest
}

/** Pushes a chart of some files, as helm does. */
export async function pushChart(server: Server, repository: string, version: string, files: Record<string, string>) {
  const name = repository.slice(repository.lastIndexOf('/') + 1)
  const about = { apiVersion: 'v2', name, version, description: 'What is sold', dependencies: [{ name: 'redis', version: '20.1.0', repository: 'https://charts.example.org' }] }
  const config = await blob(server, repository, JSON.stringify(about))
  const layer = await blob(server, repository, archive({ [`${name}/Chart.yaml`]: JSON.stringify(about), ...Object.fromEntries(Object.entries(files).map(([file, text]) => [`${name}/${file}`, text])) }))
  const chart = await manifest(server, repository, version, {
    mediaType: IMAGE,
    config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', ...config },
    layers: [{ mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip', ...layer }],
  })
  return chart.digest
}

/** Files as a compressed tar archive. */
function archive(files: Record<string, string>): Uint8Array<ArrayBuffer> {
  const blocks: Buffer[] = []
  for (const [name, text] of Object.entries(files)) {
    const head = Buffer.alloc(512)
    const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, '0')}\0`
    head.write(name, 0)
    head.write(octal(0o644, 8), 100)
    head.write(octal(0, 8), 108)
    head.write(octal(0, 8), 116)
    head.write(octal(Buffer.byteLength(text), 12), 124)
    head.write(octal(0, 12), 136)
    head.write('        0', 148)
    head.write('ustar\0' + '00', 257)
    head.write(octal(head.reduce((sum, byte) => sum + byte, 0), 7), 148)
    const body = Buffer.alloc(Math.ceil(Buffer.byteLength(text) / 512) * 512)
    body.write(text)
    blocks.push(head, body)
  }
  return Uint8Array.from(gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)])))
}
