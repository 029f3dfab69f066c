// Finding what is there, and no more than one may.

import { enter, expect, signIn, test, WAYS } from './journey'

test.describe('in Chinese, narrow', () => {
  test.use(WAYS[2])

  test('a developer finds an image and takes its pull command', async ({ page, server, own, context, t }) => {
    const [name, developer] = [own('shop'), own('dev')]
    await server.project(name)
    await server.push(`${name}/web/app`, '1.0')
    await server.push(`${name}/web/app`, '2.0')
    const who = await server.user(developer)
    await server.ask('POST', `/api/v2.0/projects/${name}/members`, { role_id: 2, member_user: { username: developer } })
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    await signIn(page, who)
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: t('search.open') }).fill(`${name}/web`)
    await page.getByRole('option', { name: `${name}/web/app` }).first().click()
    await expect(page.getByRole('heading', { name: 'web/app' })).toBeVisible()
    await page.getByRole('searchbox').first().fill('2.')
    await expect(page).toHaveURL(/tag=2/)
    await expect(page.getByRole('row')).toHaveCount(2)
    await page.reload()
    await expect(page.getByRole('row')).toHaveCount(2)
    await page.getByRole('button', { name: t('artifacts.pullShort'), exact: true }).click()
    await page.getByRole('dialog').getByRole('button', { name: t('action.copyWhat', { what: 'docker' }) }).click()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`docker pull ${server.host}/${name}/web/app:2.0`)
    // What they may not do is not offered.
    await page.goto(`/projects/${name}`)
    const parts = page.getByRole('navigation', { name: t('project.parts') })
    await expect(parts.getByRole('link', { name: t('project.members') })).toBeVisible()
    await page.getByRole('button', { name: t('shell.navigation') }).click()
    await expect(page.getByRole('link', { name: t('nav.projects') }).first()).toBeVisible()
    await expect(page.getByRole('link', { name: t('nav.users'), exact: true })).toHaveCount(0)
    await page.goto(`/projects/${name}/robots`)
    await expect(page.getByText(t('robots.empty'))).toBeVisible()
    await expect(page.getByRole('button', { name: t('robots.create') })).toHaveCount(0)
  })
})

test('the search box finds people, pages and what can be done, as far as one may', async ({ page, server, own, t }) => {
  const [name, person] = [own('finder'), own('anna')]
  await server.project(name)
  const who = await server.user(person)
  const find = async (text: string) => {
    await page.getByRole('button', { name: t('search.open') }).waitFor()
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: t('search.open') }).fill(text)
  }
  const option = (text: string) => page.getByRole('option', { name: text, exact: true })
  await enter(page, server)
  await page.goto('/about')
  await find(person)
  await option(person).click()
  await expect(page).toHaveURL(/\/users\/\d+$/)
  await find(name)
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(new RegExp(`/projects/${name}$`))
  const banner = `${t('nav.configuration')} › ${t('config.banner')}`
  await find(t('config.banner'))
  await option(banner).click()
  await expect(page).toHaveURL(/\/configuration\/banner$/)
  await find(t('users.create'))
  await option(t('users.create')).click()
  await expect(page.getByRole('dialog', { name: t('users.create') })).toBeVisible()

  await page.goto('about:blank')
  await page.context().clearCookies()
  await enter(page, server, who)
  await page.goto('/about')
  await find('')
  await expect(option(t('nav.projects'))).toBeVisible()
  for (const hidden of [banner, t('nav.users'), t('users.create'), t('gc.run')]) await expect(option(hidden)).toHaveCount(0)
  await page.getByRole('combobox', { name: t('search.open') }).fill(name)
  await expect(page.getByText(t('search.nothing'))).toBeVisible()
})

test('a link to something private says so politely', async ({ page, server, own, refusals, t }) => {
  const name = own('secret')
  await server.project(name)
  const digest = await server.push(`${name}/app`, '1')
  const who = await server.user(own('stranger'))
  refusals.push('403 /api/', '404 /api/')
  await enter(page, server, who)
  for (const [at, text] of [
    [`/projects/${name}`, t('project.forbidden')],
    [`/projects/${name}/members`, t('project.forbidden')],
    [`/projects/${name}/policies/retention/1`, t('project.forbidden')],
    [`/projects/${name}/repositories/app`, t('repository.missing')],
    [`/projects/${name}/repositories/app/artifacts/${digest}`, t('artifact.missing')],
    ['/users', t('project.noRight')],
    ['/users/1', t('users.missing')],
    ['/groups', t('project.noRight')],
    ['/robots', t('project.noRight')],
    ['/audit/purge', t('page.onlyAdmins')],
    ['/quotas', t('page.onlyAdmins')],
    ['/garbage-collection', t('page.onlyAdmins')],
    ['/jobs', t('page.onlyAdmins')],
    ['/configuration', t('config.noRight')],
  ] as const) {
    await page.goto(at)
    await expect(page.getByText(text).first(), at).toBeVisible()
    await expect(page.getByRole('alert'), at).toHaveCount(0)
  }
})

test('links of Harbor lead where they led', async ({ page, server, own }) => {
  const name = own('old')
  await server.project(name)
  await server.push(`${name}/web/app`, '1')
  await enter(page, server)
  const { project_id: id } = (await (await server.ask('GET', `/api/v2.0/projects/${name}`)).json()) as { project_id: number }
  for (const [from, to] of [
    ['/harbor/projects', /\/projects$/],
    [`/harbor/projects/${id}/repositories`, new RegExp(`/projects/${name}/repositories$`)],
    [`/harbor/projects/${id}/repositories/web%2Fapp/artifacts-tab`, new RegExp(`/projects/${name}/repositories/web%2Fapp$`)],
    [`/harbor/projects/${id}/robot-account`, new RegExp(`/projects/${name}/robots$`)],
    ['/harbor/configs/setting', /\/configuration$/],
  ] as const) {
    await page.goto(from)
    await expect(page).toHaveURL(to)
    await expect(page.locator('#main h1')).toBeVisible()
  }
})
