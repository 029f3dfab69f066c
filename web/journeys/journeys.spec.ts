// What people come for, each once.

import { createHmac } from 'node:crypto'
import { ADMIN } from './server'
import { enter, expect, signIn, test } from './journey'

test.describe('first start', () => {
  test('an administrator signs in and is told how to push', async ({ page, server, refusals }) => {
    await page.goto('/')
    await expect(page).toHaveURL(/\/sign-in$/)
    await page.getByLabel('User name').fill(ADMIN.name)
    await page.getByLabel('Password', { exact: true }).fill('not this one')
    refusals.push('401 /c/login')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await expect(page.getByText('The user name or the password is not right.')).toBeVisible()
    await page.getByLabel('Password', { exact: true }).fill(ADMIN.password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await expect(page.getByRole('heading', { name: /^Welcome/ })).toBeVisible()
    await page.goto('/projects/library')
    await expect(page.getByText(`docker login ${server.host} --username admin`)).toBeVisible()
    await expect(page.getByText(`docker push ${server.host}/library/alpine:1`)).toBeVisible()
  })
})

test('a project owner makes a project, adds a member and a robot, and gives it up', async ({ page, server, own }) => {
  const [name, friend] = [own('team'), own('friend')]
  await server.user(friend)
  await enter(page, server)
  await page.goto('/projects')
  await page.getByRole('button', { name: 'New project' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('Not A Name')
  await dialog.getByRole('button', { name: 'Create' }).click()
  await expect(dialog.getByText('Only lowercase letters')).toBeVisible()
  await dialog.getByLabel('Name').fill(name)
  await dialog.getByRole('button', { name: 'Create' }).click()
  await expect(page).toHaveURL(new RegExp(`/projects/${name}$`))

  await page.getByRole('navigation', { name: 'Parts of the project' }).getByRole('link', { name: 'Members' }).click()
  await page.getByRole('button', { name: 'Add member' }).click()
  await dialog.getByLabel('User name').fill(friend)
  await dialog.getByLabel('Role').selectOption('Guest')
  await dialog.getByLabel(/Only for these repositories/).fill('web/**')
  await dialog.getByRole('button', { name: 'Add' }).click()
  const row = page.getByRole('row', { name: new RegExp(friend) })
  await expect(row).toContainText('Guest')
  await expect(row).toContainText('web/**')

  await page.getByRole('navigation', { name: 'Parts of the project' }).getByRole('link', { name: 'Robots' }).click()
  await page.getByRole('button', { name: 'New robot' }).first().click()
  await dialog.getByLabel('Name').fill('ci')
  await dialog.getByRole('button', { name: 'Pull and push' }).click()
  await dialog.getByRole('button', { name: 'Create' }).click()
  const robot = `robot$${name}+ci`
  await expect(dialog.getByRole('heading', { name: `Secret of ${robot}` })).toBeVisible()
  const secret = await dialog.locator('code').nth(1).innerText()
  const answer = await fetch(`${server.url}/v2/`, { headers: { Authorization: `Basic ${btoa(`${robot}:${secret}`)}` } })
  expect(answer.status).toBe(200)
  await dialog.getByRole('button', { name: 'I have copied it' }).click()
  await expect(page.getByRole('row', { name: /\+ci/ })).toContainText('Active')

  await page.getByRole('navigation', { name: 'Parts of the project' }).getByRole('link', { name: 'Settings' }).click()
  await page.getByLabel('Public').check()
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Public', { exact: true }).first()).toBeVisible()
  await page.getByRole('button', { name: 'Delete project' }).click()
  await expect(dialog.getByRole('button', { name: 'Delete' })).toBeDisabled()
  await dialog.getByLabel(`To confirm, type ${name}`).fill(name)
  await dialog.getByRole('button', { name: 'Delete' }).click()
  await expect(page).toHaveURL(/\/projects$/)
})

test('a developer finds an image and takes its pull command', async ({ page, server, own, context }) => {
  const [name, developer] = [own('shop'), own('dev')]
  await server.project(name)
  await server.push(`${name}/web/app`, '1.0')
  await server.push(`${name}/web/app`, '2.0')
  const who = await server.user(developer)
  await server.ask('POST', `/api/v2.0/projects/${name}/members`, { role_id: 2, member_user: { username: developer } })
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await signIn(page, who)
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').fill(`${name}/web`)
  await page.getByRole('option', { name: `${name}/web/app` }).waitFor()
  await page.getByRole('option', { name: `${name}/web/app` }).click()
  await expect(page.getByRole('heading', { name: 'web/app' })).toBeVisible()
  await page.getByRole('searchbox').fill('2.')
  await expect(page).toHaveURL(/tag=2/)
  await expect(page.getByRole('row')).toHaveCount(2)
  await page.reload()
  await expect(page.getByRole('row')).toHaveCount(2)
  await page.getByRole('button', { name: 'Pull', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Copy docker' }).click()
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`docker pull ${server.host}/${name}/web/app:2.0`)
  // What they may not do is not offered.
  await page.goto(`/projects/${name}`)
  const parts = page.getByRole('navigation', { name: 'Parts of the project' })
  await expect(parts.getByRole('link', { name: 'Members' })).toBeVisible()
  await expect(page.getByRole('link', { name: 'Users' })).toHaveCount(0)
  await page.goto(`/projects/${name}/robots`)
  await expect(page.getByText('No robots yet')).toBeVisible()
  await expect(page.getByRole('button', { name: 'New robot' })).toHaveCount(0)
})

test('a link to something private says so politely', async ({ page, server, own, refusals }) => {
  const name = own('secret')
  await server.project(name)
  const who = await server.user(own('stranger'))
  refusals.push(`403 /api/v2.0/projects/${name}`, `404 /api/v2.0/projects/${name}`)
  await enter(page, server, who)
  await page.goto(`/projects/${name}/members`)
  await expect(page.getByText('This project is not open to you')).toBeVisible()
})

test('the language and the look are chosen and stay', async ({ page, server }) => {
  await enter(page, server)
  await page.goto('/projects')
  await page.getByRole('button', { name: 'Language' }).click()
  await page.getByRole('menuitem', { name: '简体中文' }).click()
  await expect(page.getByRole('heading', { name: '项目' })).toBeVisible()
  await page.reload()
  await expect(page.getByRole('button', { name: '新建项目' })).toBeVisible()
  await expect(page.locator('html')).toHaveAttribute('lang', 'zh-CN')
  await page.getByRole('button', { name: '外观' }).click()
  await page.getByRole('menuitem', { name: '深色' }).click()
  await page.reload()
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
})

test('a session that ends in the middle of a form loses nothing', async ({ page, server, own, context, refusals }) => {
  const name = own('kept')
  await enter(page, server)
  await page.goto('/projects?new=1')
  const form = page.getByRole('dialog', { name: 'New project' })
  await form.getByLabel('Name').fill(name)
  await context.clearCookies()
  refusals.push('401 ', '403 ')
  await form.getByRole('button', { name: 'Create' }).click()
  const again = page.getByRole('dialog', { name: 'Your session has ended' })
  await again.getByLabel('Password').fill(ADMIN.password)
  await again.getByRole('button', { name: 'Sign in' }).click()
  await expect(page).toHaveURL(new RegExp(`/projects/${name}$`))
})

test('a server that is away is told of, and asked again', async ({ page, server, own, context, refusals }) => {
  const name = own('away')
  refusals.push('0 ')
  await enter(page, server)
  await page.goto('/projects?new=1')
  const form = page.getByRole('dialog', { name: 'New project' })
  await form.getByLabel('Name').fill(name)
  await context.setOffline(true)
  await form.getByRole('button', { name: 'Create' }).click()
  await expect(form.getByText('The server cannot be reached.')).toBeVisible()
  await context.setOffline(false)
  await form.getByRole('button', { name: 'Create' }).click()
  await expect(page).toHaveURL(new RegExp(`/projects/${name}$`))
})

test('a second factor is set up and asked for', async ({ page, server, own, refusals }) => {
  const who = await server.user(own('careful'))
  await enter(page, server, who)
  await page.goto('/profile/security')
  await page.getByRole('button', { name: 'Turn on' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Password').fill(who.password)
  await dialog.getByRole('button', { name: 'Go on' }).click()
  const secret = await dialog.locator('code').innerText()
  await dialog.getByRole('textbox', { name: 'Code' }).fill(code(secret, 0))
  await dialog.getByRole('button', { name: 'Go on' }).click()
  await expect(dialog.getByRole('heading', { name: 'Recovery codes' })).toBeVisible()
  await dialog.getByRole('button', { name: 'I have copied it' }).click()
  await page.getByRole('button', { name: `Account of ${who.name}` }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await expect(page).toHaveURL(/\/sign-in$/)
  refusals.push('401 /c/login')
  await page.getByLabel('User name').fill(who.name)
  await page.getByLabel('Password', { exact: true }).fill(who.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  // A code counts once, so the next one is shown.
  await page.getByLabel('Code').fill(code(secret, 1))
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('heading', { name: /^Welcome/ })).toBeVisible()
})

/** The code of an authenticator (RFC 6238), some steps from now. */
function code(secret: string, steps: number): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...secret.replace(/[\s=]/g, '')].map((one) => letters.indexOf(one).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g)!.map((byte) => parseInt(byte, 2)))
  const moment = Buffer.alloc(8)
  moment.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps))
  const mac = createHmac('sha1', key).update(moment).digest()
  const at = mac[19]! & 15
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

test('an auditor finds who deleted what, and a link reproduces the view', async ({ page, server, own }) => {
  const name = own('gone')
  const who = await server.user(own('deleter'))
  await server.ask('POST', '/api/v2.0/projects', { project_name: name }, who)
  await server.ask('DELETE', `/api/v2.0/projects/${name}`, undefined, who)
  await enter(page, server)
  await page.goto('/audit')
  await page.getByRole('searchbox').fill(name)
  await page.getByLabel('Operation').selectOption('delete')
  await expect(page.getByRole('row')).toHaveCount(2)
  await expect(page.getByRole('row').nth(1)).toContainText(who.name)
  const link = page.url()
  await page.goto('/about')
  await page.goto(link)
  await expect(page.getByRole('row').nth(1)).toContainText(name)
  const saved = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Download as CSV' }).click()
  const file = await saved
  expect(file.suggestedFilename()).toBe('audit-log.csv')
})

test('who may register does, and an administrator changes settings', async ({ page, server, own, browser }) => {
  await enter(page, server)
  await page.goto('/configuration')
  await page.getByLabel('Everybody can register').check()
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Saved')).toBeVisible()
  await page.goto('/configuration/banner')
  await page.getByLabel('Message').fill('Down at noon <b>today</b>')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByRole('status').getByText('Down at noon <b>today</b>')).toBeVisible()

  const name = own('new')
  const other = await browser.newPage({ baseURL: server.url, locale: 'en-GB' })
  await other.goto('/sign-in')
  await other.getByRole('link', { name: 'Create an account' }).click()
  await expect(other.getByRole('heading', { name: 'Create an account' })).toBeVisible()
  await other.getByLabel('User name').fill(name)
  await other.getByLabel('E-mail address').fill(`${name}@example.com`)
  await other.getByLabel('Full name').fill('Ann O’New')
  await other.getByLabel('Password', { exact: true }).fill('weak')
  await other.getByRole('button', { name: 'Create account' }).click()
  await expect(other.getByText('8 to 128 characters').first()).toBeVisible()
  await other.getByLabel('Password', { exact: true }).fill(ADMIN.password)
  await other.getByLabel('Password, once more').fill(ADMIN.password)
  await other.getByRole('button', { name: 'Create account' }).click()
  await expect(other.getByRole('heading', { name: 'Welcome, Ann O’New' })).toBeVisible()
  await other.close()
  await server.ask('PUT', '/api/v2.0/configurations', { self_registration: false, banner_message: '' })
})

test('an access token is made, works and is revoked', async ({ page, server, own }) => {
  const who = await server.user(own('token'))
  await enter(page, server, who)
  await page.goto('/profile/tokens')
  await page.getByRole('button', { name: 'New access token' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('laptop')
  await dialog.getByRole('button', { name: 'Create' }).click()
  await expect(dialog.getByRole('heading', { name: 'Your new access token' })).toBeVisible()
  const token = await dialog.locator('code').nth(1).innerText()
  const asked = () => fetch(`${server.url}/v2/`, { headers: { Authorization: `Basic ${btoa(`${who.name}:${token}`)}` } })
  expect((await asked()).status).toBe(200)
  await dialog.getByRole('button', { name: 'I have copied it' }).click()
  await page.getByRole('button', { name: 'Revoke' }).click()
  await dialog.getByRole('button', { name: 'Revoke' }).click()
  await expect(page.getByText('No access tokens')).toBeVisible()
  expect((await asked()).status).toBe(401)
})

test('names that try to be a script or run from right to left stay names', async ({ page, server, own }) => {
  const name = own('odd')
  const realname = '<img src=x onerror=alert(1)> שלום'
  await server.user(name, { realname, comment: '"><script>alert(1)</script>' })
  page.on('dialog', (dialog) => {
    throw new Error(`a script ran: ${dialog.message()}`)
  })
  await enter(page, server)
  await page.goto(`/users?username=${name}`)
  await expect(page.getByRole('cell', { name: realname })).toBeVisible()
  await page.getByRole('link', { name }).click()
  await expect(page.getByText('"><script>alert(1)</script>')).toBeVisible()
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
