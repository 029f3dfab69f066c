// What every table does.

import { readFileSync } from 'node:fs'
import type { Download } from '@playwright/test'
import { enter, expect, test, violations, WAYS } from './journey'
import type { Server } from './server'

const lines = async (file: Download) => readFileSync(await file.path(), 'utf8').trim().split('\r\n')

/** Labels that no other test's filter finds; says by what they are found. */
async function labels(server: Server, own: (name: string) => string, count: number) {
  for (let n = 0; n < count; n += 1) await server.ask('POST', '/api/v2.0/labels', { name: own(`label-${n}`), description: `the ${n}th`, scope: 'g', color: '#123456' })
  return own('').slice(1)
}

test('the columns that somebody chooses are shown, stay chosen, and are what the file holds', async ({ page, server, own, t }) => {
  const mine = await labels(server, own, 2)
  await enter(page, server)
  await page.goto(`/labels?name=${mine}`)
  await expect(page.getByRole('row')).toHaveCount(3)
  const head = (text: string) => page.getByRole('columnheader', { name: text })
  await expect(head(t('labels.created'))).toBeVisible()
  await page.getByRole('button', { name: t('table.columns') }).click()
  await page.getByRole('checkbox', { name: t('labels.created') }).uncheck()
  await expect(head(t('labels.created'))).toHaveCount(0)
  await page.keyboard.press('Escape')
  await expect(page.getByRole('checkbox', { name: t('labels.created') })).toHaveCount(0)
  await page.reload()
  await expect(head(t('labels.description'))).toBeVisible()
  await expect(head(t('labels.created'))).toHaveCount(0)
  const saved = page.waitForEvent('download')
  await page.getByRole('button', { name: t('table.download') }).click()
  const [first, ...rows] = await lines(await saved)
  expect(first?.replace('\ufeff', '')).toBe(`${t('labels.name')},${t('labels.description')}`)
  expect(rows).toEqual([0, 1].map((n) => `${own(`label-${n}`)},the ${n}th`))
})

test.describe('in Chinese, narrow', () => {
  test.use(WAYS[2])

  test('a file that does not hold everything says so', async ({ page, server, own, t }) => {
    const mine = await labels(server, own, 1)
    await enter(page, server)
    // As if there were more than a browser should gather.
    await page.route('**/api/v2.0/labels?*', async (route) => {
      const answer = await route.fetch()
      await route.fulfill({ response: answer, headers: { ...answer.headers(), 'x-total-count': '12345' } })
    })
    await page.goto(`/labels?name=${mine}`)
    const saved = page.waitForEvent('download')
    await page.getByRole('button', { name: t('table.download') }).click()
    expect(await lines(await saved)).toHaveLength(2)
    await expect(page.getByText(t('table.downloadedPart', { n: '1', total: '12,345' }))).toBeVisible()
  })
})

test('several repositories are deleted together, once their project is named', async ({ page, server, own, t }) => {
  const name = own('many')
  await server.project(name)
  for (const repository of ['a', 'b', 'c']) await server.push(`${name}/${repository}`, '1')
  await enter(page, server)
  await page.goto(`/projects/${name}/repositories`)
  await page.getByRole('checkbox', { name: t('table.markAll') }).check()
  await page.getByRole('button', { name: t('action.delete'), exact: true }).click()
  const dialog = page.getByRole('dialog')
  const really = dialog.getByRole('button', { name: t('action.delete') })
  await expect(really).toBeDisabled()
  await dialog.getByLabel(t('confirm.type', { name })).fill(name)
  await really.click()
  await expect(page.getByText(t('repositories.empty'))).toBeVisible()
  const { repo_count } = (await (await server.ask('GET', `/api/v2.0/projects/${name}`)).json()) as { repo_count: number }
  expect(repo_count).toBe(0)
})

test.describe('narrow and dark', () => {
  test.use(WAYS[3])

  test('a long description leaves the list in sight, until all of it is wanted', async ({ page, server, own, t }) => {
    const name = own('told')
    await server.project(name)
    for (const repository of ['long', 'short']) await server.push(`${name}/${repository}`, '1')
    const description = (repository: string, text: string) => server.ask('PUT', `/api/v2.0/projects/${name}/repositories/${repository}`, { description: text })
    await description('long', `${'What it holds, and whom to ask. '.repeat(60)}The end.`)
    await description('short', 'What it holds.')
    await enter(page, server)
    await page.goto(`/projects/${name}/repositories/long`)
    const list = page.getByRole('region', { name: t('repositories.artifacts') })
    await expect(list).toBeInViewport()
    await page.getByRole('button', { name: t('text.more') }).click()
    await expect(list).not.toBeInViewport()
    await page.getByRole('button', { name: t('text.less') }).click()
    await expect(list).toBeInViewport()
    await page.goto(`/projects/${name}/repositories/short`)
    await expect(page.getByText('What it holds.')).toBeVisible()
    await expect(list).toBeVisible()
    await expect(page.getByRole('button', { name: t('text.more') })).toHaveCount(0)
  })

  test('an entry of the audit log says who did it and when, on two lines', async ({ page, server, own, t }) => {
    const name = own('seen')
    const who = await server.user(own('doer'))
    for (const one of [name, own('later')]) await server.ask('POST', '/api/v2.0/projects', { project_name: one }, who)
    await enter(page, server)
    await page.goto(`/audit?resource=${name}`)
    const row = page.getByRole('row').filter({ hasText: name })
    await expect(row.getByText(who.name).filter({ visible: true })).toBeVisible()
    await expect(row.locator('time:visible')).toContainText(/\d\d:\d\d/)
    await expect(row.getByText(t('operation.create'))).toBeVisible()
    expect((await row.boundingBox())?.height).toBeLessThan(65)
    // Its time has no heading here, and is sorted by all the same.
    await page.goto(`/audit?user=${who.name}`)
    const [first, last] = [page.getByRole('row').nth(1), page.getByRole('row').last()]
    await expect(first).toContainText(own('later'))
    await page.getByRole('button', { name: t('table.descending') }).click()
    await expect(page).toHaveURL(/sort=op_time/)
    await expect(last).toContainText(own('later'))
    await page.getByLabel(t('table.sortBy')).selectOption(t('audit.time'))
    await expect(page.getByRole('button', { name: t('table.ascending') })).toBeVisible()
  })

  test('rows are seen as cards, which page, sort, filter and are marked as the table does', async ({ page, server, own, t }) => {
    const name = own('cards')
    await server.project(name)
    for (const repository of ['a', 'b', 'c']) await server.push(`${name}/${repository}`, '1')
    await server.ask('PUT', `/api/v2.0/projects/${name}/repositories/b`, { description: 'what b is for' })
    await enter(page, server)
    await page.goto(`/projects/${name}/repositories`)
    await page.getByRole('button', { name: t('table.asCards') }).click()
    await expect(page).toHaveURL(/view=cards/)
    const cards = page.getByRole('list', { name: t('nav.repositories') }).getByRole('listitem')
    await expect(cards).toHaveCount(3)
    await expect(page.getByRole('table')).toHaveCount(0)
    await expect(cards.filter({ hasText: 'what b is for' })).toHaveCount(1)
    // What is hidden in a narrow table is told by the card.
    await expect(cards.first()).toContainText(t('repositories.pulls'))
    await page.getByLabel(t('table.sortBy')).selectOption(t('repositories.name'))
    await expect(cards.getByRole('link')).toHaveText(['a', 'b', 'c'])
    await page.getByRole('button', { name: t('table.ascending') }).click()
    await expect(cards.getByRole('link')).toHaveText(['c', 'b', 'a'])
    expect(await violations(page)).toEqual([])
    await page.getByRole('searchbox').fill('b')
    await expect(cards).toHaveCount(1)
    // A link shows what it was made of, and what was chosen last is what comes next.
    await page.goto(`/projects/${name}/repositories?view=table`)
    await expect(page.getByRole('row')).toHaveCount(4)
    await page.goto(`/projects/${name}/repositories`)
    await expect(cards).toHaveCount(3)
    await page.getByRole('checkbox', { name: `${t('table.mark', { name: `${name}/a` })}` }).check()
    await page.getByRole('button', { name: t('action.delete'), exact: true }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel(t('confirm.type', { name: 'a' })).fill('a')
    await dialog.getByRole('button', { name: t('action.delete') }).click()
    await expect(cards).toHaveCount(2)
    await page.goto(`/projects?name=${name}&view=cards`)
    await expect(page.getByRole('list', { name: t('nav.projects') }).getByRole('listitem')).toContainText(t('projects.private'))
  })
})

test('several users become administrators together, and several robots are turned off', async ({ page, server, own, t }) => {
  const names = ['one', 'two'].map((one) => own(one))
  for (const name of names) await server.user(name)
  const mine = own('').slice(1)
  await enter(page, server)
  await page.goto(`/users?username=${mine}`)
  const table = page.getByRole('region', { name: t('nav.users') })
  await expect(table.getByRole('row')).toHaveCount(3)
  await table.getByRole('checkbox', { name: t('table.markAll') }).check()
  await page.getByRole('button', { name: t('users.promote') }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByRole('listitem')).toHaveText(names)
  await dialog.getByRole('button', { name: t('users.promote') }).click()
  await expect(table.getByRole('cell').getByText(t('users.isAdmin'), { exact: true })).toHaveCount(2)
  await expect(table.getByRole('cell').getByText(t('users.here'))).toHaveCount(2)

  const project = own('machines')
  await server.project(project)
  for (const name of ['build', 'deploy']) {
    const permissions = [{ kind: 'project', namespace: project, access: [{ resource: 'repository', action: 'pull' }] }]
    await server.ask('POST', '/api/v2.0/robots', { name, level: 'project', duration: 30, permissions })
  }
  // From within the project its parts are a few keys away.
  await page.goto(`/projects/${project}`)
  await page.getByText(t('project.yourRights')).waitFor()
  await page.keyboard.press('ControlOrMeta+k')
  await page.getByRole('combobox', { name: t('search.open') }).fill(t('project.robots'))
  await page.getByRole('option', { name: `${project} › ${t('project.robots')}` }).click()
  await expect(page).toHaveURL(`/projects/${project}/robots`)
  const robots = page.getByRole('region', { name: t('nav.robots') })
  await robots.getByRole('checkbox', { name: t('table.markAll') }).check()
  await page.getByRole('button', { name: t('robots.disable') }).click()
  await expect(robots.getByText(t('robots.disabled'), { exact: true })).toHaveCount(2)
  await expect(page.getByText(t('robots.nowDisabled', { n: 2, name: '' }))).toBeVisible()
})
