// A company's registry after six weeks, for pictures of the portal: made by pushes, pulls and
// jobs as they are, at the times of other days (libfaketime turns the clock of the server).

import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { basic, Server, type Who } from '../journeys/server'

const DAYS = 42
const FAKETIME = '/usr/$LIB/faketime/libfaketime.so.1'

interface Team {
  project: string
  isPublic?: boolean
  owner: string
  repositories: string[]
  /** What a layer of theirs weighs, in kilobytes. */
  weight: number
  quota?: number
}

const PEOPLE: [string, string][] = [
  ['anna.schmidt', 'Anna Schmidt'],
  ['li.wei', '李伟'],
  ['jonas.weber', 'Jonas Weber'],
  ['chen.jing', '陈静'],
  ['maria.rossi', 'Maria Rossi'],
  ['wang.fang', '王芳'],
  ['tom.baker', 'Tom Baker'],
  ['sofia.lind', 'Sofia Lind'],
]

const TEAMS: Team[] = [
  { project: 'storefront', owner: 'anna.schmidt', repositories: ['web', 'checkout', 'search/indexer', 'search/api'], weight: 1800, quota: 130_000_000 },
  { project: 'payments', owner: 'li.wei', repositories: ['gateway', 'ledger', 'fraud-check'], weight: 1100, quota: 60_000_000 },
  { project: 'platform', owner: 'jonas.weber', repositories: ['ingress', 'ci/runner', 'ci/builder', 'observability/collector'], weight: 1500 },
  { project: 'data-science', owner: 'chen.jing', repositories: ['notebook', 'training/ranker', 'feature-store'], weight: 4200, quota: 220_000_000 },
  { project: 'mobile', owner: 'maria.rossi', repositories: ['backend', 'push-notifications'], weight: 800 },
  { project: 'base-images', isPublic: true, owner: 'tom.baker', repositories: ['debian', 'alpine', 'node', 'jdk'], weight: 600 },
]

const OCI = 'application/vnd.oci.image.manifest.v1+json'

function clock(days: number): NodeJS.ProcessEnv {
  if (days === 0) return {}
  const turned = { FAKETIME: `-${days}d`, FAKETIME_DONT_FAKE_MONOTONIC: '1', DONT_FAKE_MONOTONIC: '1', NO_FAKE_STAT: '1' }
  return { LD_PRELOAD: FAKETIME, ...turned }
}

const person = (name: string): Who => ({ name, password: 'Some-Secret-1' })

/** A version as a team gives it on a day: one a week is a minor one. */
function version(day: number): string {
  const nth = DAYS - day
  return `${2 + Math.floor(nth / 21)}.${Math.floor(nth / 7) % 10}.${nth % 7}`
}

export async function found(): Promise<Server> {
  if (!existsSync(`/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/faketime`)) throw new Error('libfaketime is not there (Debian: apt-get install libfaketime)')
  const server = await Server.start()
  // The first start was six weeks ago.
  await server.end()
  await server.begin(clock(DAYS))
  await people(server)
  for (let day = DAYS; day >= 0; day -= day > 14 ? 3 : 1) {
    await server.end()
    await server.begin(clock(day))
    await work(server, day)
  }
  return server
}

async function people(server: Server) {
  for (const [name, realname] of PEOPLE) await server.user(name, { realname, email: `${name}@example.com` })
  for (const [name, type] of [['platform-engineers', 3], ['auditors', 3], ['release-managers', 3]] as const) await server.ask('POST', '/api/v2.0/usergroups', { group_name: name, group_type: type })
  for (const [name, color] of [['production', '#1e8449'], ['staging', '#b9770e'], ['deprecated', '#a93226']]) await server.ask('POST', '/api/v2.0/labels', { name, color, scope: 'g', description: '' })
  for (const team of TEAMS) {
    await server.ask('POST', '/api/v2.0/projects', { project_name: team.project, metadata: { public: String(!!team.isPublic) }, ...(team.quota ? { storage_limit: team.quota } : {}) })
    const at = `/api/v2.0/projects/${team.project}`
    const members: [string, number][] = [[team.owner, 1], ['wang.fang', 4], ['sofia.lind', 2], ['tom.baker', 3]]
    for (const [username, role_id] of members) {
      if (username === team.owner && role_id !== 1) continue
      await server.ask('POST', `${at}/members`, { role_id, member_user: { username } }).catch(() => undefined)
    }
    await server.ask('POST', `${at}/members`, { role_id: 4, member_group: { group_name: 'release-managers', group_type: 3 } })
    await server.ask('POST', '/api/v2.0/robots', {
      name: 'ci',
      level: 'project',
      description: 'The pipeline',
      duration: 90,
      permissions: [{ kind: 'project', namespace: team.project, access: [{ resource: 'repository', action: 'pull' }, { resource: 'repository', action: 'push' }] }],
    })
  }
  const storefront = (await (await server.ask('GET', '/api/v2.0/projects/storefront')).json()) as { project_id: number }
  await server.ask('POST', '/api/v2.0/projects/storefront/immutabletagrules', {
    action: 'immutable',
    template: 'immutable_template',
    tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: 'release-*' }],
    scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] },
  })
  await server.ask('POST', '/api/v2.0/retentions', {
    algorithm: 'or',
    scope: { level: 'project', ref: storefront.project_id },
    trigger: { kind: 'Schedule', settings: { cron: '0 0 3 * * *' }, references: {} },
    rules: [retain('latestPushedK', { latestPushedK: 5 }, '**'), retain('nDaysSinceLastPull', { nDaysSinceLastPull: 7 }, 'search/**')],
  })
}

function retain(template: string, params: object, repositories: string) {
  return {
    action: 'retain',
    template,
    params,
    disabled: false,
    tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: '**', extras: JSON.stringify({ untagged: true }) }],
    scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: repositories }] },
  }
}

/** What happens on a day. */
async function work(server: Server, day: number) {
  for (const [n, team] of TEAMS.entries()) {
    for (const [m, name] of team.repositories.entries()) {
      if ((day + n + m) % 2 === 1 && day > 1) continue
      const repository = `${team.project}/${name}`
      const weight = team.weight * (0.6 + ((day * 7 + n * 3 + m) % 9) / 10)
      const digest = await server.push(repository, version(day), randomBytes(Math.round(weight * 1000)), { who: person(team.owner), config: built(day, name) })
      if (m === 0) await about(server, repository, digest)
      // Clusters pull what was pushed.
      for (let i = 0; i < 2 + ((n + m + day) % 7); i += 1) await pull(server, repository, version(day), person(team.owner))
    }
  }
  if (day === 0) await today(server)
  if (day % 7 === 0 && day !== DAYS) {
    // Old versions are tidied up, and the space comes back.
    for (const team of TEAMS.slice(0, 4)) await forget(server, `${team.project}/${team.repositories[1] ?? ''}`)
    await server.ask('POST', '/api/v2.0/system/gc/schedule', { schedule: { type: 'Manual' }, parameters: { delete_untagged: true, workers: 1 } })
    await finished(server, '/api/v2.0/system/gc?page_size=1&sort=-creation_time')
  }
}

async function pull(server: Server, repository: string, reference: string, who: Who) {
  const answer = await fetch(`${server.url}/v2/${repository}/manifests/${reference}`, { headers: { Authorization: basic(who), Accept: OCI } })
  await answer.arrayBuffer()
}

const built = (day: number, name: string) => ({
  created: new Date(Date.now() - day * 86_400_000).toISOString(),
  config: { Env: ['PATH=/usr/local/bin:/usr/bin:/bin', `APP=${name}`], Entrypoint: [`/app/${name.split('/').pop()}`], WorkingDir: '/app', User: '10001' },
  history: [
    { created: '2026-10-01T02:00:00Z', created_by: '/bin/sh -c #(nop) ADD file:7b9c in / ', empty_layer: false },
    { created: '2026-10-01T02:00:01Z', created_by: 'ENV PATH=/usr/local/bin:/usr/bin:/bin', empty_layer: true },
    { created: '2026-10-01T02:00:02Z', created_by: 'USER 10001', empty_layer: true },
    { created: '2026-10-01T02:00:02Z', created_by: `ENTRYPOINT ["/app/${name.split('/').pop()}"]`, empty_layer: true },
  ],
})

/** A signature and a bill of materials of an image. */
async function about(server: Server, repository: string, digest: string) {
  const empty = await server.blob(repository, '{}')
  const found = await server.ask('GET', `/v2/${repository}/manifests/${digest}`)
  const subject = { mediaType: OCI, digest, size: (await found.text()).length }
  const config = { mediaType: 'application/vnd.oci.empty.v1+json', ...empty }
  const sbom = await server.blob(repository, JSON.stringify({ spdxVersion: 'SPDX-2.3', name: repository, packages: [{ name: 'openssl', versionInfo: '3.5.4' }], of: digest }))
  await server.manifest(repository, undefined, { mediaType: OCI, artifactType: 'application/spdx+json', config, layers: [{ mediaType: 'application/spdx+json', ...sbom }], subject })
  const payload = await server.blob(repository, JSON.stringify({ critical: { identity: { 'docker-reference': repository }, image: { 'docker-manifest-digest': digest }, type: 'cosign container image signature' } }))
  const layer = { mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json', ...payload, annotations: { 'dev.cosignproject.cosign/signature': 'MEUCIQDx' } }
  await server.manifest(repository, `${digest.replace(':', '-')}.sig`, { mediaType: OCI, config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...empty }, layers: [layer] })
}

/** Deletes the older half of a repository. */
async function forget(server: Server, repository: string) {
  const [project = '', ...rest] = repository.split('/')
  const at = `/api/v2.0/projects/${project}/repositories/${encodeURIComponent(encodeURIComponent(rest.join('/')))}/artifacts`
  const all = (await (await server.ask('GET', `${at}?page_size=100&sort=push_time`)).json()) as { digest: string }[]
  for (const { digest } of all.slice(0, Math.floor(all.length / 2))) await server.ask('DELETE', `${at}/${digest}`)
}

/** What only the last day has: an image for several platforms, labels, a dry run. */
async function today(server: Server) {
  const repository = 'storefront/web'
  const who = person('anna.schmidt')
  const manifests = []
  for (const architecture of ['amd64', 'arm64']) {
    const digest = await server.push(repository, `build-${architecture}`, randomBytes(1_700_000), { who, config: { ...built(0, 'web'), architecture } })
    const found = await server.ask('GET', `/v2/${repository}/manifests/${digest}`)
    manifests.push({ mediaType: OCI, digest, size: (await found.text()).length, platform: { os: 'linux', architecture } })
  }
  const index = { mediaType: 'application/vnd.oci.image.index.v1+json', manifests, annotations: { 'org.opencontainers.image.source': 'https://git.example.com/storefront/web', 'org.opencontainers.image.revision': 'f3c1a9e' } }
  const digest = await server.manifest(repository, 'release-4.0', index, who)
  await server.manifest(repository, 'latest', index, who)
  await about(server, repository, digest)
  const labels = (await (await server.ask('GET', '/api/v2.0/labels?scope=g')).json()) as { id: number; name: string }[]
  const production = labels.find((label) => label.name === 'production')
  await server.ask('POST', `/api/v2.0/projects/storefront/repositories/web/artifacts/${digest}/labels`, { id: production?.id })
  const project = (await (await server.ask('GET', '/api/v2.0/projects/storefront')).json()) as { metadata: { retention_id: string } }
  const retention = `/api/v2.0/retentions/${project.metadata.retention_id}/executions`
  await server.ask('POST', retention, { dry_run: true })
  await finished(server, `${retention}?page_size=1`, 'status')
}

/** Waits until the newest of some runs is over. */
async function finished(server: Server, path: string, field: 'job_status' | 'status' = 'job_status') {
  for (const deadline = Date.now() + 60_000; ; ) {
    const [run] = (await (await server.ask('GET', path)).json()) as Record<string, string>[]
    if (/^(Success|Succeed|Error|Stopped)/.test(run?.[field] ?? '')) return
    if (Date.now() > deadline) throw new Error(`${path}: ${JSON.stringify(run)}`)
    await new Promise((done) => setTimeout(done, 100))
  }
}
