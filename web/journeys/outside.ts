// What stands around a registry: a directory, an OpenID provider, a client. All real.

import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const TESTS = resolve(import.meta.dirname, '../../tests')

export function freePort(): Promise<number> {
  return new Promise((done) => {
    const probe = createServer()
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => done(port))
    })
  })
}

/** Asks again until it is so; says what was the matter if it does not become so. */
async function until(what: string, isSo: () => boolean | Promise<boolean>) {
  for (const deadline = Date.now() + 30_000; !(await isSo()); await new Promise((done) => setTimeout(done, 50))) {
    if (Date.now() > deadline) throw new Error(what)
  }
}

/** A process with a folder of its own. */
class Outside {
  protected readonly folder = mkdtempSync(join(tmpdir(), 'haven-outside-'))
  protected process: ChildProcess | undefined

  async stop() {
    const running = this.process
    if (running && running.exitCode === null && running.signalCode === null) {
      const ended = new Promise((done) => running.once('exit', done))
      running.kill('SIGKILL')
      await ended
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** OpenLDAP's server, with the people that the Rust suites know: alice, bob, and the group dev of both. */
export class Directory extends Outside {
  static readonly PASSWORD = 'Harbor12345'
  url = ''

  static async start(): Promise<Directory> {
    const directory = new Directory()
    const { folder } = directory
    // In the clear: certificates are the Rust suites' subject.
    const settings = readFileSync(join(TESTS, 'directory/slapd.conf'), 'utf8').replace(/^TLS.*\n/gm, '').replaceAll('FOLDER', folder)
    writeFileSync(join(folder, 'slapd.conf'), settings)
    mkdirSync(join(folder, 'data'))
    directory.url = `ldap://127.0.0.1:${await freePort()}`
    directory.process = spawn('/usr/sbin/slapd', ['-d', '0', '-h', directory.url, '-f', join(folder, 'slapd.conf')], { stdio: 'ignore' })
    const people = readFileSync(join(TESTS, 'directory/people.ldif'))
    const who = ['-x', '-D', 'cn=admin,dc=example,dc=org', '-w', Directory.PASSWORD, '-H', directory.url]
    await until('slapd did not start (see tests/tools)', () => {
      const filled = spawnSync('ldapadd', who, { input: people })
      if (filled.error) throw filled.error
      const said = filled.stderr.toString()
      if (filled.status !== 0 && !said.includes("Can't contact")) throw new Error(`ldapadd: ${said}`)
      return filled.status === 0
    })
    return directory
  }
}

/** oidc-provider, which knows alice (groups dev, ops and admins), bob (dev) and carol (none). */
export class Provider extends Outside {
  static readonly CLIENT = { id: 'haven', secret: 'client-secret-0123456789' }
  url = ''

  /** Starts one that browsers come to from a registry, and go back. */
  static async start(registry: string): Promise<Provider> {
    const provider = new Provider()
    const port = await freePort()
    provider.url = `http://127.0.0.1:${port}`
    const keys = join(provider.folder, 'keys.json')
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    writeFileSync(keys, JSON.stringify({ keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'journey' }] }))
    const packages = execFileSync(join(TESTS, 'tools'), ['node'], { encoding: 'utf8' }).trim()
    let said = ''
    provider.process = spawn(process.execPath, [join(TESTS, 'provider/provider.mjs'), packages, String(port), keys, registry], {
      env: { ...process.env, NODE_ENV: 'production' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [provider.process.stdout, provider.process.stderr]) stream?.on('data', (chunk: Buffer) => (said += chunk))
    await until('the provider did not start (see tests/tools)', () => {
      if (provider.process?.exitCode !== null) throw new Error(`the provider ended: ${said}`)
      return said.includes('ready')
    })
    return provider
  }
}

/** A registry client, with a configuration of its own. */
export class Crane extends Outside {
  readonly #program = join(execFileSync(join(TESTS, 'tools'), ['bin'], { encoding: 'utf8' }).trim(), 'crane')

  run(...words: string[]): string {
    if (!existsSync(this.#program)) throw new Error(`${this.#program} is not there (see tests/tools)`)
    const env = { ...process.env, DOCKER_CONFIG: this.folder }
    return execFileSync(this.#program, ['--insecure', ...words], { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'pipe'] })
  }

  /** Pushes an image of one file. */
  push(reference: string, content = reference) {
    const file = join(this.folder, 'greeting')
    const layer = join(this.folder, 'layer.tar')
    writeFileSync(file, content)
    execFileSync('tar', ['-cf', layer, '-C', this.folder, 'greeting'])
    this.run('append', '--new_layer', layer, '--new_tag', reference)
  }
}
