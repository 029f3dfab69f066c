// What journeys push beside single images: indexes, signatures, charts, models, and what nobody knows.

import { gzipSync } from 'node:zlib'
import { type Server } from './server'

const IMAGE = 'application/vnd.oci.image.manifest.v1+json'

/** Pushes a small image without a tag. */
async function pushImage(server: Server, repository: string, content: string, architecture: string) {
  const history = [{ created: '2026-01-02T03:04:05Z', created_by: '/bin/sh -c #(nop) ADD file:1 in /' }, { created_by: 'CMD ["sh"]', empty_layer: true }]
  const config = await server.blob(repository, JSON.stringify({ architecture, os: 'linux', rootfs: { type: 'layers', diff_ids: [] }, history, note: content }))
  const layer = await server.blob(repository, content)
  return server.manifest(repository, undefined, {
    mediaType: IMAGE,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...layer }],
  })
}

/** Pushes an image for two platforms, as buildx does; says the digests of the index and of its parts. */
export async function pushIndex(server: Server, repository: string, tag: string) {
  const manifests = []
  for (const architecture of ['amd64', 'arm64']) {
    const digest = await pushImage(server, repository, `${repository}:${tag} for ${architecture}`, architecture)
    manifests.push({ mediaType: IMAGE, digest, size: 1, platform: { os: 'linux', architecture } })
  }
  const index = await server.manifest(repository, tag, { mediaType: 'application/vnd.oci.image.index.v1+json', manifests })
  return { index, parts: manifests.map((one) => one.digest) }
}

/** Pushes a signature of an artifact, as cosign does. */
export async function sign(server: Server, repository: string, digest: string) {
  const config = await server.blob(repository, '{}')
  const layer = await server.blob(repository, JSON.stringify({ signed: digest }))
  return server.manifest(repository, undefined, {
    mediaType: IMAGE,
    artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    config: { mediaType: 'application/vnd.oci.empty.v1+json', ...config },
    layers: [{ mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json', ...layer }],
    subject: { mediaType: IMAGE, digest, size: 1 },
  })
}

/** Pushes a chart of some files, as helm does; `more` is what else it says of itself. */
export async function pushChart(server: Server, repository: string, version: string, files: Record<string, string>, more: object = {}) {
  const name = repository.slice(repository.lastIndexOf('/') + 1)
  const dependencies = [{ name: 'redis', version: '20.1.0', repository: 'https://charts.example.org' }]
  const about = { apiVersion: 'v2', name, version, description: 'What is sold', dependencies, ...more }
  const packed = archive({ [`${name}/Chart.yaml`]: JSON.stringify(about), ...Object.fromEntries(Object.entries(files).map(([file, text]) => [`${name}/${file}`, text])) })
  return pushPackage(server, repository, version, about, packed)
}

/** Pushes a chart whose package holds whatever is given, be it none. */
export async function pushPackage(server: Server, repository: string, version: string, about: object, content: Buffer | string) {
  const config = await server.blob(repository, JSON.stringify(about))
  const layer = await server.blob(repository, content)
  return server.manifest(repository, version, {
    mediaType: IMAGE,
    config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', ...config },
    layers: [{ mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip', ...layer }],
  })
}

/** Pushes a model of some files (CNCF's model specification), as modctl does: those in capitals are its documents. */
export async function pushModel(server: Server, repository: string, tag: string, files: Record<string, string>) {
  const about = { descriptor: { name: repository, family: 'llama3', title: tag }, config: { architecture: 'transformer', format: 'safetensors', precision: 'bf16' }, modelfs: { type: 'layers', diffIds: [] } }
  const config = await server.blob(repository, JSON.stringify(about))
  const layers = []
  for (const [path, content] of Object.entries(files)) {
    const kind = /^[A-Z]+(?:\.md)?$/.test(path) ? 'doc' : 'weight'
    layers.push({
      mediaType: `application/vnd.cncf.model.${kind}.v1.raw`,
      ...(await server.blob(repository, content)),
      annotations: { 'org.cncf.model.filepath': path },
    })
  }
  return server.manifest(repository, tag, {
    mediaType: IMAGE,
    artifactType: 'application/vnd.cncf.model.manifest.v1+json',
    config: { mediaType: 'application/vnd.cncf.model.config.v1+json', ...config },
    layers,
  })
}

/** A picture of one pixel. */
const PIXEL = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')

/** Pushes something of a kind that the server does not know, which may bring a picture of itself. */
export async function pushRecipe(server: Server, repository: string, tag: string, hasPicture: boolean) {
  const config = await server.blob(repository, JSON.stringify({ recipe: tag }))
  const layer = await server.blob(repository, `how ${tag} is made`)
  const picture = { mediaType: 'image/png', ...(await server.blob(repository, PIXEL)), annotations: { 'io.goharbor.artifact.v1alpha1.icon': '' } }
  return server.manifest(repository, tag, {
    mediaType: IMAGE,
    config: { mediaType: 'application/vnd.example.recipe.config.v1+json', ...config },
    layers: [{ mediaType: 'text/plain', ...layer }, ...(hasPicture ? [picture] : [])],
  })
}

/** Files as a compressed tar archive. */
function archive(files: Record<string, string>): Buffer {
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
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]))
}
