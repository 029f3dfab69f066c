// The real binary on a free port with data of its own, and what stands in for docker.

import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { freePort } from './outside'

export interface Who {
  name: string
  password: string
}
export const ADMIN: Who = { name: 'admin', password: 'Some-Secret-1' }

/** What an image says of itself beside its content, and who pushes it. */
export interface Image {
  config?: object
  annotations?: Record<string, string>
  who?: Who
}

export const basic = ({ name, password }: Who) => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
export const digestOf = (content: string | Buffer) => `sha256:${createHash('sha256').update(content).digest('hex')}`

export class Server {
  private process: ChildProcess | undefined

  private constructor(
    readonly url: string,
    private readonly data: string,
    private readonly isOwn: boolean,
  ) {}

  /** Starts one with data of its own, or with those in a folder, which stay. */
  static async start(folder?: string): Promise<Server> {
    const data = folder ?? mkdtempSync(join(tmpdir(), 'haven-journey-'))
    const server = new Server(`http://127.0.0.1:${await freePort()}`, data, folder === undefined)
    await server.begin()
    return server
  }

  /** Starts its process, with the data that it had. */
  async begin(environment: NodeJS.ProcessEnv = {}) {
    const binary = process.env.HAVEN_BIN ?? resolve(import.meta.dirname, '../../target/debug/haven')
    if (!existsSync(binary)) throw new Error(`${binary} is not there: cargo build -p haven`)
    let log = ''
    const child = spawn(binary, ['serve'], {
      env: { PATH: process.env.PATH, HAVEN_LISTEN: this.host, HAVEN_DATA_DIR: this.data, HAVEN_ADMIN_PASSWORD: ADMIN.password, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (log = (log + chunk).slice(-20_000)))
    this.process = child
    for (const deadline = Date.now() + 30_000; ; ) {
      const answer = await fetch(`${this.url}/api/v2.0/ping`).catch(() => undefined)
      if (answer?.ok) return
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`the server did not start:\n${log}`)
      await new Promise((done) => setTimeout(done, 50))
    }
  }

  /** Ends its process; the data stay. */
  async end() {
    const running = this.process
    if (!running) return
    this.process = undefined
    const ended = new Promise((done) => running.once('exit', done))
    running.kill('SIGTERM')
    await ended
  }

  async stop() {
    await this.end()
    if (this.isOwn) rmSync(this.data, { recursive: true, force: true })
  }

  get host() {
    return new URL(this.url).host
  }

  /** Asks the API by name and password. */
  async ask(method: string, path: string, body?: unknown, who = ADMIN): Promise<Response> {
    const answer = await fetch(this.url + path, {
      method,
      headers: { Authorization: basic(who), 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return answer
  }

  async user(name: string, more: object = {}) {
    const user = { username: name, email: `${name}@example.com`, realname: name, password: ADMIN.password, ...more }
    await this.ask('POST', '/api/v2.0/users', user)
    return { name, password: ADMIN.password }
  }

  async project(name: string, isPublic = false) {
    await this.ask('POST', '/api/v2.0/projects', { project_name: name, metadata: { public: String(isPublic) } })
  }

  /** Pushes an image of one layer, as docker does; says its digest. */
  async push(repository: string, tag: string, content: string | Buffer = `${repository}:${tag}`, more: Image = {}) {
    const config = await this.blob(repository, JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] }, ...more.config, note: tag }), more.who)
    const layer = await this.blob(repository, content, more.who)
    const manifest = {
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...layer }],
      ...(more.annotations ? { annotations: more.annotations } : {}),
    }
    return this.manifest(repository, tag, { mediaType: 'application/vnd.oci.image.manifest.v1+json', ...manifest }, more.who)
  }

  /** Pushes bytes that manifests refer to. */
  async blob(repository: string, content: string | Buffer, who = ADMIN) {
    const digest = digestOf(content)
    const begun = await fetch(`${this.url}/v2/${repository}/blobs/uploads/`, { method: 'POST', headers: { Authorization: basic(who) } })
    const to = new URL(begun.headers.get('Location') ?? '', this.url)
    to.searchParams.set('digest', digest)
    await this.#put(to.href, 'application/octet-stream', content, who)
    return { digest, size: Buffer.byteLength(content) }
  }

  /** Pushes a manifest under a tag, or under its digest; says its digest. */
  async manifest(repository: string, tag: string | undefined, content: { mediaType: string; [field: string]: unknown }, who = ADMIN) {
    const text = JSON.stringify({ schemaVersion: 2, ...content })
    await this.#put(`${this.url}/v2/${repository}/manifests/${tag ?? digestOf(text)}`, content.mediaType, text, who)
    return digestOf(text)
  }

  async #put(url: string, type: string, body: string | Buffer, who: Who) {
    const answer = await fetch(url, { method: 'PUT', headers: { Authorization: basic(who), 'Content-Type': type }, body: new Uint8Array(Buffer.from(body)) })
    if (answer.status !== 201) throw new Error(`PUT ${url}: ${answer.status} ${await answer.text()}`)
  }
}
