// What people do to a page that they should not have to think about.

import type { Page } from '@playwright/test'
import { ADMIN, Server } from './server'
import { enter, expect, settled, test, WAYS } from './journey'

test('a session that ends in the middle of a form loses nothing', async ({ page, server, own, context, refusals, t }) => {
  const name = own('kept')
  await enter(page, server)
  await page.goto('/projects?new=1')
  const form = page.getByRole('dialog', { name: t('projects.create') })
  await form.getByLabel(t('projects.name')).fill(name)
  await context.clearCookies()
  refusals.push('401 ', '403 ')
  await form.getByRole('button', { name: t('action.create') }).click()
  const again = page.getByRole('dialog', { name: t('signIn.again') })
  await again.getByLabel(t('signIn.password')).fill(ADMIN.password)
  await again.getByRole('button', { name: t('signIn.button') }).click()
  await expect(page).toHaveURL(new RegExp(`/projects/${name}$`))
})

test.describe('in Chinese, dark', () => {
  test.use(WAYS[1])

  test('a network that is lost is told of, and asked again', async ({ page, server, own, context, t }) => {
    const name = own('away')
    await enter(page, server)
    await page.goto('/projects?new=1')
    const form = page.getByRole('dialog', { name: t('projects.create') })
    await form.getByLabel(t('projects.name')).fill(name)
    await context.setOffline(true)
    await form.getByRole('button', { name: t('action.create') }).click()
    await expect(form.getByText(t('failure.network'))).toBeVisible()
    await context.setOffline(false)
    await form.getByRole('button', { name: t('action.create') }).click()
    await expect(page).toHaveURL(new RegExp(`/projects/${name}$`))
  })
})

test('a slow network shows that something is done, and does it once', async ({ page, server, own, t }) => {
  const name = own('slow')
  await enter(page, server)
  await page.goto('/projects?new=1')
  await settled(page)
  const network = await page.context().newCDPSession(page)
  await network.send('Network.enable')
  await network.send('Network.emulateNetworkConditions', { offline: false, latency: 1500, downloadThroughput: 30_000, uploadThroughput: 30_000 })
  const form = page.getByRole('dialog', { name: t('projects.create') })
  await form.getByLabel(t('projects.name')).fill(name)
  const create = form.getByRole('button', { name: t('action.create') })
  const sent: string[] = []
  page.on('request', (asked) => asked.method() === 'POST' && sent.push(asked.url()))
  await create.click()
  await expect(create).toHaveAttribute('aria-busy', 'true')
  // Who does not wait presses Enter again.
  await form.getByLabel(t('projects.name')).press('Enter')
  await expect(page).toHaveURL(new RegExp(`/projects/${name}$`))
  expect(sent).toHaveLength(1)
})

test('a server that restarts is told of, and the page goes on', async ({ browser, t }) => {
  const server = await Server.start()
  const page = await browser.newPage({ baseURL: server.url, ...WAYS[0] })
  try {
    await enter(page, server)
    await page.goto('/labels')
    await page.getByRole('button', { name: t('labels.create') }).first().click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel(t('labels.name')).fill('kept')
    await server.end()
    await dialog.getByRole('button', { name: t('action.create') }).click()
    await expect(dialog.getByRole('alert')).toBeVisible()
    await server.begin()
    // The session is still known, and what was typed is still there.
    await dialog.getByRole('button', { name: t('action.create') }).click()
    await expect(page.getByRole('row', { name: /kept/ })).toBeVisible()
  } finally {
    await page.close()
    await server.stop()
  }
})

test('two tabs that edit the same thing do not undo each other', async ({ page, server, own, context, refusals, t }) => {
  await server.ask('POST', '/api/v2.0/labels', { name: own('first'), scope: 'g', color: '#123456' })
  await enter(page, server)
  const other = await context.newPage()
  await page.goto(`/labels?name=${own('first')}`)
  const more = (tab: Page) => tab.getByRole('button', { name: t('table.actionsOf', { name: own('first') }) })
  await more(page).click()
  await page.getByRole('menuitem', { name: t('action.edit') }).click()
  const mine = page.getByRole('dialog')
  await other.goto(page.url())
  await more(other).click()
  await other.getByRole('menuitem', { name: t('action.delete') }).click()
  await other.getByRole('dialog').getByRole('button', { name: t('action.delete') }).click()
  await expect(other.getByRole('dialog')).toHaveCount(0)
  // What the first tab still shows is gone: it is told so, and nothing typed is lost.
  refusals.push('404 /api/v2.0/labels/')
  await mine.getByLabel(t('labels.description')).fill('too late')
  await mine.getByRole('button', { name: t('action.save') }).click()
  await expect(mine.getByText(t('failure.notFound'))).toBeVisible()
  await expect(mine.getByLabel(t('labels.description'))).toHaveValue('too late')

  // Settings: each tab sends only what it changed.
  await page.goto('/configuration/system')
  await other.goto('/configuration/system')
  await page.getByLabel(t('system.token')).fill('31')
  await other.getByLabel(t('system.session')).fill('61')
  for (const tab of [page, other]) {
    await tab.getByRole('button', { name: t('action.save') }).click()
    await expect(tab.getByText(t('settings.saved'))).toBeVisible()
  }
  await page.reload()
  await expect(page.getByLabel(t('system.token'))).toHaveValue('31')
  await expect(page.getByLabel(t('system.session'))).toHaveValue('61')
  await server.ask('PUT', '/api/v2.0/configurations', { token_expiration: 30, session_timeout: 60 })
  await other.close()
})

test('a right that is taken away while a page is open is missed politely', async ({ page, server, own, refusals, t }) => {
  const name = own('lost')
  await server.project(name)
  const who = await server.user(own('leaver'))
  const made = await server.ask('POST', `/api/v2.0/projects/${name}/members`, { role_id: 1, member_user: { username: who.name } })
  await enter(page, server, who)
  await page.goto(`/projects/${name}/members`)
  await page.getByRole('button', { name: t('members.add') }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel(t('account.username')).fill('admin')
  await server.ask('DELETE', new URL(made.headers.get('Location') ?? '', server.url).pathname)
  refusals.push(`403 /api/`, '404 /api/')
  await dialog.getByRole('button', { name: t('action.add') }).click()
  await expect(dialog.getByRole('alert')).toContainText(t('failure.forbidden'))
  await dialog.getByRole('button', { name: t('action.cancel') }).click()
  await page.reload()
  await expect(page.getByText(t('project.forbidden'))).toBeVisible()
})

for (const [clock, days] of [['ahead', 3], ['behind', -3]] as const) {
  test(`a clock that is ${clock} changes nothing`, async ({ page, server, own, t }) => {
    const name = own('clock')
    await server.project(name)
    await page.clock.install({ time: Date.now() + days * 86_400_000 })
    await enter(page, server)
    await page.goto(`/projects/${name}`)
    // What was made a moment ago was made a moment ago.
    await expect(page.getByText(t('time.now')).first()).toBeVisible()
    await page.goto('/profile/tokens?new=1')
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel(t('tokens.name')).fill(name)
    await dialog.getByRole('button', { name: t('action.create') }).click()
    await expect(dialog.getByRole('heading', { name: t('tokens.made') })).toBeVisible()
    const secret = await dialog.locator('code').nth(1).innerText()
    const asked = await fetch(`${server.url}/v2/`, { headers: { Authorization: `Basic ${btoa(`${ADMIN.name}:${secret}`)}` } })
    expect(asked.status).toBe(200)
  })
}

test('back and reload keep what a list showed', async ({ page, server, own, t }) => {
  const name = own('many')
  await server.project(name)
  for (const n of [...Array(17).keys()]) await server.push(`${name}/app`, `1.${n}`)
  await enter(page, server)
  await page.goto(`/projects/${name}/repositories/app?page_size=15`)
  await expect(page.getByRole('row')).toHaveCount(16)
  await page.getByRole('button', { name: t('artifacts.size') }).click()
  await expect(page).toHaveURL(/sort=/)
  await page.getByRole('button', { name: t('table.next') }).click()
  await expect(page.getByRole('row')).toHaveCount(3)
  const link = page.url()
  await page.getByRole('row').nth(1).getByRole('link').first().click()
  await expect(page).toHaveURL(/artifacts\/sha256/)
  await page.goBack()
  await expect(page).toHaveURL(link)
  await expect(page.getByRole('row')).toHaveCount(3)
  await page.reload()
  await expect(page.getByRole('row')).toHaveCount(3)
  await page.goBack()
  await expect(page.getByRole('row')).toHaveCount(16)
  // A page that is no longer there: a list that has become shorter, or an old link.
  await page.goto(`/projects/${name}/repositories/app?page_size=15&page=99`)
  await expect(page).toHaveURL(/page=2$/)
  await expect(page.getByRole('row')).toHaveCount(3)
})
