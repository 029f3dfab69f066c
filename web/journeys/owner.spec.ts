// A project from its beginning to its end, by who owns it.

import type { Page } from '@playwright/test'
import { enter, expect, signIn, test, WAYS } from './journey'
import type { Server, Who } from './server'

test.use(WAYS[0])

async function idOf(server: Server, project: string) {
  const { project_id } = (await (await server.ask('GET', `/api/v2.0/projects/${project}`)).json()) as { project_id: number }
  return project_id
}

/** Somebody else sits down at the browser. No page is left that still asks for something. */
async function changeTo(page: Page, who?: Who) {
  await page.goto('about:blank')
  await page.context().clearCookies()
  await signIn(page, who)
}

test('a project owner is given a limit, brings people in, and says what is kept', async ({ page, server, own, t }) => {
  test.setTimeout(240_000)
  const name = own('shop')
  const [owner, friend] = [await server.user(own('owner')), await server.user(own('friend'))]
  const dialog = page.getByRole('dialog')
  const parts = page.getByRole('navigation', { name: t('project.parts') })
  const storage = page.getByRole('region', { name: t('project.storage'), exact: true })
  const row = (text: string) => page.getByRole('row', { name: new RegExp(text) })
  const limit = async (number: string, unit: string) => {
    await page.getByLabel(t('projects.limit'), { exact: true }).fill(number)
    await page.getByLabel(t('size.unit')).selectOption(unit)
  }
  async function bringIn(who: Who, role: string, narrowed = '') {
    await parts.getByRole('link', { name: t('project.members') }).click()
    await page.getByRole('button', { name: t('members.add') }).click()
    await dialog.getByLabel(t('account.username')).fill(who.name)
    await dialog.getByLabel(t('members.role')).selectOption(role)
    await dialog.getByLabel(t('members.narrowed')).fill(narrowed)
    await dialog.getByRole('button', { name: t('action.add') }).click()
    await expect(row(who.name)).toContainText(role)
  }

  // How much a project may store, administrators of the system say: when it is made, or later.
  await enter(page, server)
  await page.goto('/projects?new=1')
  await dialog.getByLabel(t('projects.name')).fill(name)
  await dialog.getByLabel(t('projects.ownLimit')).check()
  await limit('64', 'KiB')
  await dialog.getByRole('button', { name: t('action.create') }).click()
  await expect(page).toHaveURL(new RegExp(`/projects/${name}$`))
  await bringIn(owner, t('role.1'))

  // The owner sees it, and that it is no matter of theirs.
  await changeTo(page, owner)
  await page.goto(`/projects/${name}`)
  await expect(storage).toContainText('64 KiB')
  await expect(storage.getByRole('meter')).toBeVisible()
  await expect(page.getByRole('link', { name: t('nav.quotas') })).toHaveCount(0)
  await parts.getByRole('link', { name: t('project.settings') }).click()
  await expect(page.getByLabel(t('projects.makePublic'))).toBeEnabled()
  await expect(page.getByRole('button', { name: t('settings.limit') })).toHaveCount(0)

  // Whom the project is for.
  await bringIn(friend, t('role.3'), 'web/**')
  await expect(row(friend.name)).toContainText('web/**')
  await page.getByRole('button', { name: t('table.actionsOf', { name: friend.name }) }).click()
  await page.getByRole('menuitem', { name: t('members.change') }).click()
  await dialog.getByLabel(t('members.role')).selectOption(t('role.2'))
  await dialog.getByRole('button', { name: t('action.save') }).click()
  await expect(row(friend.name)).toContainText(t('role.2'))
  // Several at once; what somebody is narrowed to stays.
  await page.getByRole('checkbox', { name: t('table.mark', { name: friend.name }) }).check()
  await page.getByRole('button', { name: t('members.change'), exact: true }).click()
  await dialog.getByLabel(t('members.role')).selectOption(t('role.4'))
  await dialog.getByRole('button', { name: t('action.save') }).click()
  await expect(row(friend.name)).toContainText(t('role.4'))
  await expect(row(friend.name)).toContainText('web/**')
  for (const tag of ['v1', 'v2', 'v3', 'v4', 'nightly']) await server.push(`${name}/web/app`, tag, `${tag} of the shop`, { who: friend })

  // What is there fills it up, and more is refused.
  await server.push(`${name}/data`, '1', Buffer.alloc(54 * 1024, 1), { who: owner })
  await parts.getByRole('link', { name: t('project.summary') }).click()
  await expect(storage).toContainText(t('project.nearlyFull'))
  const more = () => server.push(`${name}/data`, '2', Buffer.alloc(30 * 1024, 2), { who: owner })
  await expect(more()).rejects.toThrow(/exceed the configured upper limit/)

  // What is kept, and when the rest goes.
  await parts.getByRole('link', { name: t('project.policies') }).click()
  await page.getByRole('button', { name: t('retention.add') }).click()
  // Its fields come a moment after the dialog.
  await expect(dialog.locator('select').first()).toBeFocused()
  await dialog.getByLabel(t('selector.pattern', { what: t('nav.repositories') })).fill('web/**')
  await dialog.getByLabel(t('selector.pattern', { what: t('artifacts.tags') })).fill('v*')
  await dialog.getByLabel(t('retention.count'), { exact: true }).fill('2')
  await dialog.getByRole('button', { name: t('action.add'), exact: true }).click()
  await expect(page.getByRole('list', { name: t('rules.rules') })).toContainText(t('retention.keeps.latestPushed', { n: '2' }))
  await page.getByRole('button', { name: t('retention.setSchedule') }).click()
  await dialog.getByLabel(t('schedule.when')).selectOption(t('schedule.daily'))
  await dialog.getByRole('button', { name: t('action.save') }).click()
  await expect(page.getByRole('region', { name: t('retention.schedule') })).not.toContainText(t('schedule.none'))

  // The dry run lists what would go, what stays, and why.
  await page.getByRole('button', { name: t('retention.dryRun') }).click()
  await expect(page).toHaveURL(/policies\/retention\/\d+$/)
  await expect(page.getByRole('button', { name: `${t('retention.goes')} 3` })).toBeVisible()
  await expect(page.getByRole('button', { name: `${t('retention.stays')} 2` })).toBeVisible()
  for (const tag of ['v3', 'v4']) await expect(row(tag)).toContainText(t('retention.stays'))
  for (const tag of ['v1', 'v2']) await expect(row(tag)).toContainText(t('retention.goes'))
  await expect(row('nightly')).toContainText(t('retention.whyUnmeant'))
  await page.getByRole('link', { name: t('retention.title') }).first().click()
  await expect(row(t('retention.dryRun'))).toContainText(t('status.Success'))

  // Who asks for more gets it.
  await changeTo(page)
  await page.goto(`/projects/${name}/settings`)
  await limit('2', 'KiB')
  await expect(page.getByText(t('projects.belowUse'))).toBeVisible()
  await limit('1', 'GiB')
  await page.getByRole('button', { name: t('settings.limit') }).click()
  await expect(page.getByRole('form', { name: t('project.storage') })).toContainText('1 GiB')
  await more()
})

test('a project owner makes a project, gives a robot its secret, and gives the project up', async ({ page, server, own, t }) => {
  const name = own('team')
  const owner = await server.user(own('owner'))
  await enter(page, server, owner)
  await page.goto('/projects')
  await page.getByRole('button', { name: t('projects.create') }).first().click()
  const dialog = page.getByRole('dialog')
  const parts = page.getByRole('navigation', { name: t('project.parts') })
  await dialog.getByLabel(t('projects.name')).fill('Not A Name')
  await dialog.getByRole('button', { name: t('action.create') }).click()
  await expect(dialog.getByText(t('projects.wrongName'))).toBeVisible()
  await dialog.getByLabel(t('projects.name')).fill(name)
  await dialog.getByRole('button', { name: t('action.create') }).click()
  await expect(page).toHaveURL(new RegExp(`/projects/${name}$`))

  await parts.getByRole('link', { name: t('project.robots') }).click()
  await page.getByRole('button', { name: t('robots.create') }).first().click()
  await dialog.getByLabel(t('robots.name')).fill('ci')
  await dialog.getByRole('button', { name: t('permissions.push') }).click()
  await dialog.getByRole('button', { name: t('action.create') }).click()
  const robot = `robot$${name}+ci`
  await expect(dialog.getByRole('heading', { name: t('robots.secretOf', { name: robot }) })).toBeVisible()
  const secret = await dialog.locator('code').nth(1).innerText()
  const answer = await fetch(`${server.url}/v2/`, { headers: { Authorization: `Basic ${btoa(`${robot}:${secret}`)}` } })
  expect(answer.status).toBe(200)
  await dialog.getByRole('button', { name: t('secret.done') }).click()
  await expect(page.getByRole('row', { name: /\+ci/ })).toContainText(t('robots.active'))

  // It is valid for as long as somebody wants, and takes a secret that is there already.
  const act = async (what: string) => {
    await page.getByRole('button', { name: t('table.actionsOf', { name: robot }) }).click()
    await page.getByRole('menuitem', { name: what }).click()
  }
  await act(t('action.edit'))
  await dialog.getByLabel(t('robots.duration')).selectOption(t('robots.otherDays'))
  await dialog.getByLabel(t('robots.inDays')).fill('0')
  await expect(dialog.getByText(t('robots.wrongDays'))).toBeVisible()
  await dialog.getByLabel(t('robots.inDays')).fill('45')
  await dialog.getByRole('button', { name: t('action.save') }).click()
  await expect(dialog).toHaveCount(0)
  const found = (await (await server.ask('GET', `/api/v2.0/robots?q=${encodeURIComponent('name=~ci,Level=project,ProjectID=')}${await idOf(server, name)}`)).json()) as { duration: number }[]
  expect(found.map((one) => one.duration)).toEqual([45])
  await act(t('robots.refresh'))
  await dialog.getByLabel(t('robots.ownSecret')).check()
  await dialog.getByLabel(t('secret.secret'), { exact: true }).fill('Own-Secret-1')
  await dialog.getByLabel(t('robots.secretAgain')).fill('Own-Secret-2')
  await dialog.getByRole('button', { name: t('robots.refresh') }).click()
  await expect(dialog.getByText(t('robots.secretDiffers'))).toBeVisible()
  await dialog.getByLabel(t('robots.secretAgain')).fill('Own-Secret-1')
  await dialog.getByRole('button', { name: t('robots.refresh') }).click()
  await expect(dialog).toHaveCount(0)
  const now = await fetch(`${server.url}/v2/`, { headers: { Authorization: `Basic ${btoa(`${robot}:Own-Secret-1`)}` } })
  expect(now.status).toBe(200)
  await act(t('robots.permissions'))
  await expect(dialog).toContainText(t('robots.inProject', { name }))
  await page.keyboard.press('Escape')

  await parts.getByRole('link', { name: t('project.settings') }).click()
  await page.getByLabel(t('projects.makePublic')).check()
  await page.getByRole('button', { name: t('action.save') }).click()
  await expect(page.getByText(t('projects.public'), { exact: true }).first()).toBeVisible()
  await page.getByRole('button', { name: t('settings.delete') }).click()
  await expect(dialog.getByRole('button', { name: t('action.delete') })).toBeDisabled()
  await dialog.getByLabel(t('confirm.type', { name })).fill(name)
  await dialog.getByRole('button', { name: t('action.delete') }).click()
  await expect(page).toHaveURL(/\/projects$/)
})
