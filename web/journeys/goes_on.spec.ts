// What happens behind a page while it is open: the server goes away, the session ends or becomes
// another, somebody else changes the same thing, a right is taken away, nobody looks.

import type { Page } from '@playwright/test'
import { ADMIN, Server } from './server'
import { enter, expect, signIn, test, WAYS } from './journey'
import { words } from './words'

/** As if somebody came back to a tab after a while. */
async function comeBack(page: Page) {
  await page.clock.fastForward(20_000)
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
}

test('a server that restarts is told of, and the page goes on', async ({ browser }) => {
  const t = words(WAYS[1].locale)
  const server = await Server.start()
  const page = await browser.newPage({ baseURL: server.url, ...WAYS[1] })
  try {
    await enter(page, server)
    await page.goto('/labels')
    await page.getByRole('button', { name: t('labels.create') }).first().click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel(t('labels.name')).fill('kept')
    await server.end()
    await dialog.getByRole('button', { name: t('action.create') }).click()
    await expect(dialog.getByRole('alert')).toContainText(t('failure.network'))
    await expect(page.getByText(t('shell.lost'))).toBeVisible()
    await server.begin()
    await expect(page.getByText(t('shell.lost'))).toHaveCount(0)
    // The session is still known, and what was typed is still there.
    await dialog.getByRole('button', { name: t('action.create') }).click()
    await expect(page.getByRole('row', { name: /kept/ })).toBeVisible()
  } finally {
    await page.close()
    await server.stop()
  }
})

test('a server that is away is waited for: what was typed stays, and the page that was asked for comes by itself', async ({ page, server, context, refusals, t }) => {
  refusals.push('0 ')
  await enter(page, server)
  await page.goto('/configuration/system')
  const field = page.getByLabel(t('system.session'))
  await field.fill('77')
  await context.setOffline(true)
  await page.evaluate(() => window.dispatchEvent(new Event('online')))
  await expect(page.getByText(t('shell.lost'))).toBeVisible()
  await page.getByRole('button', { name: t('action.save') }).click()
  await expect(page.getByRole('alert').first()).toContainText(t('failure.network'))
  await expect(field).toHaveValue('77')
  await page.getByRole('link', { name: t('nav.labels') }).click()
  await expect(page.getByText(t('page.failed'))).toBeVisible()
  await context.setOffline(false)
  await expect(page.getByText(t('shell.lost'))).toHaveCount(0)
  await expect(page.getByRole('heading', { name: t('nav.labels'), level: 1 })).toBeVisible()
})

test('a part of a project that is asked for while the server is away comes by itself', async ({ page, server, context, own, t }) => {
  await server.project(own('parts'))
  await enter(page, server)
  await page.goto(`/projects/${own('parts')}/repositories`)
  await expect(page.getByText(t('repositories.empty'))).toBeVisible()
  await context.setOffline(true)
  await page.getByRole('navigation', { name: t('project.parts') }).getByRole('link', { name: t('project.labels') }).click()
  await expect(page.getByText(t('shell.lost'))).toBeVisible()
  await expect(page.locator('#main').getByText(t('table.loading'))).toBeVisible()
  await context.setOffline(false)
  await expect(page.getByRole('button', { name: t('labels.create') }).first()).toBeVisible()
  await expect(page.getByText(t('shell.lost'))).toHaveCount(0)
})

test('an answer that never comes is given up, and it is said that it may have been done', async ({ page, server, own, t }) => {
  await enter(page, server)
  await page.clock.install()
  await page.goto('/projects?new=1')
  await page.locator('#main h1').first().waitFor()
  await page.route('**/api/v2.0/projects', (route) => (route.request().method() === 'POST' ? undefined : route.fallback()))
  const form = page.getByRole('dialog')
  await form.getByLabel(t('projects.name')).fill(own('never'))
  const create = form.getByRole('button', { name: t('action.create') })
  await create.click()
  await expect(create).toHaveAttribute('aria-busy', 'true')
  await page.clock.fastForward(400_000)
  await expect(form.getByText(t('failure.timeout'))).toBeVisible()
  await expect(form.getByLabel(t('projects.name'))).toHaveValue(own('never'))
})

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

test('who signs in again in another tab goes on in this one', async ({ page, server, own, context, refusals, t }) => {
  const name = own('elsewhere')
  await enter(page, server)
  await page.goto('/projects?new=1')
  const form = page.getByRole('dialog', { name: t('projects.create') })
  await form.getByLabel(t('projects.name')).fill(name)
  await context.clearCookies()
  refusals.push('401 ', '403 ')
  await form.getByRole('button', { name: t('action.create') }).click()
  await expect(page.getByRole('dialog', { name: t('signIn.again') })).toBeVisible()
  const other = await context.newPage()
  await signIn(other)
  await expect(page).toHaveURL(new RegExp(`/projects/${name}$`))
  await other.close()
})

test('nothing is done in the name of somebody else who signed in in another tab', async ({ page, server, own, context, refusals, t }) => {
  const who = await server.user(own('second'))
  await enter(page, server)
  await page.goto('/projects')
  await expect(page.getByRole('button', { name: t('shell.account', { name: ADMIN.name }) })).toBeVisible()
  const other = await context.newPage()
  await other.goto('/')
  await other.getByRole('button', { name: t('shell.account', { name: ADMIN.name }) }).click()
  await other.getByRole('menuitem', { name: t('shell.signOut') }).click()
  await expect(other).toHaveURL(/\/sign-in$/)
  await signIn(other, who)
  await expect(page.getByRole('button', { name: t('shell.account', { name: who.name }) })).toBeVisible()
  await expect(page.getByRole('link', { name: t('nav.users') })).toHaveCount(0)
  await other.close()
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

test('what somebody else changes meanwhile stays as they made it', async ({ page, server, own, context, t }) => {
  const name = own('both')
  await server.project(name)
  await enter(page, server)
  const other = await context.newPage()
  await page.goto(`/projects/${name}/settings`)
  await other.goto(`/projects/${name}/settings`)
  await expect(other.getByLabel(t('projects.makePublic'))).not.toBeChecked()
  await page.getByLabel(t('projects.makePublic')).check()
  await other.getByLabel(t('allowlist.ofSystem')).uncheck()
  for (const tab of [page, other]) {
    await tab.getByRole('button', { name: t('action.save') }).click()
    await expect(tab.getByText(t('settings.saved'))).toBeVisible()
  }
  const { metadata } = (await (await server.ask('GET', `/api/v2.0/projects/${name}`)).json()) as { metadata: Record<string, string> }
  expect(metadata).toMatchObject({ public: 'true', reuse_sys_cve_allowlist: 'false' })
  await other.close()

  // A robot that was disabled is not enabled by whoever writes about it.
  const made = await server.ask('POST', '/api/v2.0/robots', {
    name: 'ci',
    level: 'project',
    duration: 30,
    permissions: [{ kind: 'project', namespace: name, access: [{ resource: 'repository', action: 'pull' }] }],
  })
  const { id } = (await made.json()) as { id: number }
  await page.goto(`/projects/${name}/robots`)
  await page.getByRole('button', { name: t('table.actionsOf', { name: `robot$${name}+ci` }) }).click()
  await page.getByRole('menuitem', { name: t('action.edit') }).click()
  const robot = (await (await server.ask('GET', `/api/v2.0/robots/${id}`)).json()) as object
  await server.ask('PUT', `/api/v2.0/robots/${id}`, { ...robot, disable: true })
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel(t('robots.description')).fill('pulls')
  await dialog.getByRole('button', { name: t('action.save') }).click()
  await expect(dialog).toHaveCount(0)
  await expect(page.getByRole('row', { name: /\+ci/ })).toContainText(t('robots.disabled'))
  expect(await (await server.ask('GET', `/api/v2.0/robots/${id}`)).json()).toMatchObject({ disable: true, description: 'pulls' })
})

test('who comes back to a tab sees what is now', async ({ page, server, own, t }) => {
  await enter(page, server)
  await page.clock.install()
  await page.goto(`/projects?name=${own('later')}`)
  await page.locator('#main h1').first().waitFor()
  await expect(page.getByText(t('table.nothing'))).toBeVisible()
  await server.project(own('later'))
  await comeBack(page)
  await expect(page.getByRole('link', { name: own('later') })).toBeVisible()
})

test('what may no longer be done is no longer offered, once the page is left', async ({ page, server, own, refusals, t }) => {
  const name = own('less')
  await server.project(name)
  const who = await server.user(own('lesser'))
  const made = await server.ask('POST', `/api/v2.0/projects/${name}/members`, { role_id: 1, member_user: { username: who.name } })
  const member = new URL(made.headers.get('Location') ?? '', server.url).pathname
  await enter(page, server, who)
  await page.goto(`/projects/${name}/labels`)
  await page.getByRole('button', { name: t('labels.create') }).first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel(t('labels.name')).fill('kept')
  await server.ask('PUT', member, { role_id: 3 })
  refusals.push('403 /api/v2.0/labels')
  await dialog.getByRole('button', { name: t('action.create') }).click()
  await expect(dialog.getByRole('alert')).toContainText(t('failure.forbidden'))
  await expect(dialog.getByRole('alert')).toContainText(/[0-9a-f-]{16,}/)
  await expect(dialog.getByLabel(t('labels.name'))).toHaveValue('kept')
  await dialog.getByRole('button', { name: t('action.cancel') }).click()
  const parts = page.getByRole('navigation', { name: t('project.parts') })
  await expect(page.getByRole('button', { name: t('labels.create') }).first()).toBeVisible()
  await page.getByRole('link', { name: t('nav.projects') }).first().click()
  await page.getByRole('link', { name }).first().click()
  await parts.getByRole('link', { name: t('project.labels') }).click()
  await page.locator('#main h1').first().waitFor()
  await expect(page.getByRole('button', { name: t('labels.create') })).toHaveCount(0)

  // Nothing is left of it.
  await server.ask('DELETE', member)
  refusals.push('403 /api/', '404 /api/')
  await page.reload()
  await expect(page.getByText(t('project.forbidden'))).toBeVisible()
})

test('a page that nobody is at goes on asking, and keeps no session alive', async ({ page, server }) => {
  await enter(page, server)
  await page.clock.install()
  const asked: (string | undefined)[] = []
  page.on('request', (request) => {
    if (request.url().includes('/artifacts/newest')) asked.push(request.headers()['x-harbor-no-session-renewal'])
  })
  await page.goto('/')
  await expect.poll(() => asked).toEqual([undefined])
  await expect(async () => {
    await page.clock.fastForward(31_000)
    expect(asked.at(-1)).toBe('true')
  }).toPass()
  // Somebody is back.
  const before = asked.length
  await expect(async () => {
    await page.mouse.move(100 + asked.length, 100)
    await page.mouse.move(120 + asked.length, 110)
    await page.clock.fastForward(31_000)
    expect(asked.length).toBeGreaterThan(before)
  }).toPass()
  expect(asked[before]).toBeUndefined()
})
