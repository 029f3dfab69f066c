// A server with everything on it that may be hard to show: long names, many rows, text that runs
// from right to left or tries to be a script in every name and description that the API takes.

import { pushChart, pushIndex, pushModel, pushRecipe, sign } from './pushes'
import { basic, type Server, type Who } from './server'

/** Text that tries to run, to be taken for markup, and to turn around what stands beside it. */
const ODD = '"><img src=x onerror=alert(1)> שלום עולם \u202Egpj.exe\u202C مرحبا 漢字 {name} &amp;'
/** The same in texts that allow no unseen characters, and in names that allow no quotes either. */
const SEEN = ODD.replace(/[\u202A-\u202E]/g, '')
const ODD_NAME = '<b onclick=alert(1)>שלום עולם مرحبا</b>'
const LONG = 'a name that nobody would choose and that is longer than any column of any table on any screen, which it does not break '

export interface World {
  /** A project with everything in it. */
  project: string
  /** A project with nothing in it. */
  empty: string
  /** Of an image with labels, tags and annotations. */
  digest: string
  /** Of an index of two platforms. */
  index: string
  /** A Helm chart. */
  chart: string
  /** A model. */
  model: string
  /** The number of a dry run of retention that has ended. */
  run: string
  /** Somebody with nothing. */
  newcomer: Who
}

/** Makes it, on a server that is asked for nothing else meanwhile. */
export async function furnish(server: Server): Promise<World> {
  const project = 'sweep'
  const empty = `empty-${'very-'.repeat(40)}long`
  await server.project(project, true)
  await server.project(empty)
  for (let n = 0; n < 60; n += 1) await server.project(`many-${n}`, n % 2 === 0)

  const newcomer = await server.user('newcomer')
  await server.user(`${ODD_NAME} user`, { email: 'odd@example.com', realname: SEEN, comment: ODD })
  await server.user(`${LONG.slice(0, 200)}user`.replaceAll(',', ''), { email: 'long@example.com', realname: LONG.repeat(2), comment: LONG })
  for (let n = 0; n < 30; n += 1) await server.user(`person-${n}`)
  for (const name of [ODD_NAME, `${LONG}group`]) await server.ask('POST', '/api/v2.0/usergroups', { group_name: name, group_type: 3 })
  await server.ask('POST', '/api/v2.0/usergroups', { group_name: 'directory', group_type: 1, ldap_group_dn: `cn=${'long'.repeat(40)},ou=groups,dc=example,dc=com` })

  await server.ask('POST', '/api/haven/v1/roles', { name: ODD_NAME, description: ODD, permissions: [{ resource: 'repository', action: 'pull' }] })
  await server.ask('POST', '/api/haven/v1/users/current/tokens', { name: SEEN.slice(0, 60), scope: 'pull' })
  for (const [n, username] of ['newcomer', `${ODD_NAME} user`, 'person-1', 'person-2', 'person-3'].entries()) {
    await server.ask('POST', `/api/v2.0/projects/${project}/members`, { role_id: n + 1, member_user: { username } })
  }
  await server.ask('POST', `/api/v2.0/projects/${project}/members`, { role_id: 2, member_group: { group_name: ODD_NAME, group_type: 3 } })

  const { project_id } = (await (await server.ask('GET', `/api/v2.0/projects/${project}`)).json()) as { project_id: number }
  const labels: number[] = []
  for (const [n, name] of [ODD_NAME, LONG.slice(0, 120), 'in production', ...Array.from({ length: 30 }, (_, n) => `label ${n}`)].entries()) {
    for (const scope of ['g', 'p']) {
      const label = { name, description: n === 0 ? ODD : LONG, color: ['#c0392b', '#f1c40f', '#000000', '#ffffff'][n % 4], scope, ...(scope === 'p' ? { project_id } : {}) }
      const made = await server.ask('POST', '/api/v2.0/labels', label)
      if (n < 3) labels.push(Number(made.headers.get('Location')?.split('/').pop()))
    }
  }
  const robot = (name: string, level: string, more: object) =>
    server.ask('POST', '/api/v2.0/robots', {
      name,
      level,
      description: ODD,
      duration: 30,
      permissions: [{ kind: 'project', namespace: level === 'project' ? project : '*', access: [{ resource: 'repository', action: 'pull' }] }],
      ...more,
    })
  await robot('ci', 'project', {})
  await robot('r'.repeat(200), 'project', { duration: -1 })
  await robot('builder', 'system', {})
  await robot('s'.repeat(200), 'system', { disable: true })

  const annotations = {
    'org.opencontainers.image.title': ODD,
    'org.opencontainers.image.description': LONG.repeat(5),
    [`com.example.${'long.'.repeat(20)}key`]: 'x'.repeat(300),
  }
  const history = [{ created: '2026-01-02T03:04:05Z', created_by: `RUN echo '${ODD}'`, comment: ODD }, { created_by: LONG.repeat(5), empty_layer: true }]
  const digest = await server.push(`${project}/web/app`, '1.0', 'everything', { annotations, config: { history, author: ODD, config: { Env: [`ODD=${ODD}`] } } })
  const at = `/api/v2.0/projects/${project}/repositories/web%252Fapp`
  for (const name of ['a'.repeat(128), 'stable', 'latest', ...Array.from({ length: 20 }, (_, n) => `1.0.${n}-rc.${n}`)]) {
    await server.ask('POST', `${at}/artifacts/${digest}/tags`, { name })
  }
  for (const id of labels) await server.ask('POST', `${at}/artifacts/${digest}/labels`, { id })
  await server.ask('PUT', at, { description: `${ODD}\n\n# ${ODD}\n\n${LONG.repeat(10)}` })
  for (let n = 0; n < 40; n += 1) await server.push(`${project}/web/app`, `2.0.${n}`)
  for (let n = 0; n < 40; n += 1) await server.push(`${project}/service-${n}`, 'latest')
  await server.push(`${project}/${'d/'.repeat(99)}d`, 'a'.repeat(128))
  await server.push(`${project}/${'n'.repeat(200)}`, 'latest')
  const { index } = await pushIndex(server, `${project}/web/app`, 'multi')
  await sign(server, `${project}/web/app`, index)
  const values = `a: 1 # why\nb: "x"\nc: true\nodd: '${ODD}'\n`
  const readme = `# Shop\n\nSome \`code\`.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n## ${ODD}\n\n${ODD}\n`
  const dependencies = [{ name: ODD, version: '1.0.0', repository: `https://example.org/${ODD}` }, { name: LONG, version: '>=1', repository: 'file://..' }]
  const chart = await pushChart(server, `${project}/shop`, '1.2.3', { 'values.yaml': values, 'README.md': readme }, { dependencies, description: ODD })
  const model = await pushModel(server, `${project}/llm`, '1.0', { 'README.md': readme, LICENSE: `${ODD}\n\n${LONG.repeat(10)}`, [`${ODD.replaceAll('/', '')}/${LONG}/part.bin`]: 'x', 'tokenizer.json': '{}' })
  for (const [tag, hasPicture] of [['with-a-picture', true], ['without', false]] as const) await pushRecipe(server, `${project}/recipes`, tag, hasPicture)
  await server.ask('PUT', '/api/v2.0/configurations', { banner_message: JSON.stringify({ message: `${ODD} ${LONG}`, type: 'warning', closable: true }) })
  const run = await dryRun(server, project)
  await refuse(server)
  return { project, empty, digest, index, chart, model, run, newcomer }
}

/** Gives a project rules, and gives the number of a dry run of them that has ended. */
async function dryRun(server: Server, project: string) {
  const { project_id: id } = (await (await server.ask('GET', `/api/v2.0/projects/${project}`)).json()) as { project_id: number }
  const rules = [{ template: 'latestPushedK', params: { latestPushedK: 1 } }, { template: 'signed', params: {}, disabled: true }].map((rule) => ({
    ...rule,
    action: 'retain',
    tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: '{1.*,v*}', extras: '{"untagged":true}' }],
    scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] },
  }))
  const scope = { level: 'project', ref: id }
  const made = await server.ask('POST', '/api/v2.0/retentions', { algorithm: 'or', rules, scope, trigger: { kind: 'Schedule', settings: { cron: '0 0 3 * * *' } } })
  const selector = { kind: 'doublestar', decoration: 'matches', pattern: 'release-*' }
  await server.ask('POST', `/api/v2.0/projects/${project}/immutabletagrules`, {
    action: 'immutable',
    template: 'immutable_template',
    tag_selectors: [selector],
    scope_selectors: { repository: [{ ...selector, decoration: 'repoMatches', pattern: '**' }] },
  })
  const begun = await server.ask('POST', `${made.headers.get('Location')}/executions`, { dry_run: true })
  const run = (begun.headers.get('Location') ?? '').replace('/api/v2.0/', '/api/haven/v1/')
  const ended = async () => ((await (await server.ask('GET', run)).json()) as { run: { status: string } }).run.status === 'Success'
  for (const deadline = Date.now() + 30_000; !(await ended()); await new Promise((done) => setTimeout(done, 100))) if (Date.now() > deadline) throw new Error(`${run} did not end`)
  return run.split('/').pop() ?? ''
}

/** A sign-in that fails: the audit log has one. */
async function refuse(server: Server) {
  const nobody = { name: 'nobody', password: 'Wrong-Secret-1' }
  const answer = await fetch(`${server.url}/api/v2.0/users/current`, { headers: { Authorization: basic(nobody) } })
  if (answer.status !== 401) throw new Error(`a wrong password: ${answer.status}`)
}
