// The real binary on a free port with data of its own, and what stands in for docker.

import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

export const ADMIN = { name: 'admin', password: 'Some-Secret-1' }

function freePort(): Promise<number> {
  return new Promise((done) => {
    const probe = createServer()
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => done(port))
    })
  })
}

export class Server {
  private constructor(
    readonly url: string,
    private readonly process: ChildProcess,
    private readonly data: string,
  ) {}

  static async start(): Promise<Server> {
    const binary = process.env.HAVEN_BIN ?? resolve(import.meta.dirname, '../../target/debug/haven')
    if (!existsSync(binary)) throw new Error(`${binary} is not there: cargo build -p haven`)
    const data = mkdtempSync(join(tmpdir(), 'haven-journey-'))
    const port = await freePort()
    let log = ''
    const child = spawn(binary, ['serve'], {
      env: { PATH: process.env.PATH, HAVEN_LISTEN: `127.0.0.1:${port}`, HAVEN_DATA_DIR: data, HAVEN_ADMIN_PASSWORD: ADMIN.password },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (log = (log + chunk).slice(-20_000)))
    const server = new Server(`http://127.0.0.1:${port}`, child, data)
    for (const deadline = Date.now() + 30_000; ; ) {
      const answer = await fetch(`${server.url}/api/v2.0/ping`).catch(() => undefined)
      if (answer?.ok) return server
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`the server did not start:\n${log}`)
      await new Promise((done) => setTimeout(done, 50))
    }
  }

  async stop() {
    const ended = new Promise((done) => this.process.once('exit', done))
    this.process.kill('SIGTERM')
    await ended
    rmSync(this.data, { recursive: true, force: true })
  }

  get host() {
    return new URL(this.url).host
  }

  /** Asks the API by name and password. */
  async ask(method: string, path: string, body?: unknown, who = ADMIN): Promise<Response> {
    const answer = await fetch(this.url + path, {
      method,
      headers: { Authorization: `Basic ${btoa(`${who.name}:${who.password}`)}`, 'Content-Type': 'application/json' },
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

  /** Pushes a small image, as docker does. */
  async push(repository: string, tag: string, content = `${repository}:${tag}`) {
    const authorization = `Basic ${btoa(`${ADMIN.name}:${ADMIN.password}`)}`
    const put = async (url: string, type: string, body: string) => {
      const answer = await fetch(url, { method: 'PUT', headers: { Authorization: authorization, 'Content-Type': type }, body })
      if (answer.status !== 201) throw new Error(`PUT ${url}: ${answer.status} ${await answer.text()}`)
    }
    const blob = async (text: string) => {
      const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`
      const begun = await fetch(`${this.url}/v2/${repository}/blobs/uploads/`, { method: 'POST', headers: { Authorization: authorization } })
      const to = new URL(begun.headers.get('Location') ?? '', this.url)
      to.searchParams.set('digest', digest)
      await put(to.href, 'application/octet-stream', text)
      return { digest, size: Buffer.byteLength(text) }
    }
    const config = await blob(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] }, note: content }))
    const layer = await blob(content)
    const type = 'application/vnd.oci.image.manifest.v1+json'
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: type,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...layer }],
    })
    await put(`${this.url}/v2/${repository}/manifests/${tag}`, type, manifest)
    return `sha256:${createHash('sha256').update(manifest).digest('hex')}`
  }
}
