// Who somebody is, and how they show it.

import { createHmac } from 'node:crypto'
import { ADMIN } from './server'
import { enter, expect, test, WAYS } from './journey'

test.describe('narrow and dark', () => {
  test.use(WAYS[3])

  test('a second factor is set up and asked for', async ({ page, server, own, refusals, t }) => {
    const who = await server.user(own('careful'))
    await enter(page, server, who)
    await page.goto('/profile/security')
    await page.getByRole('button', { name: t('totp.enable') }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel(t('signIn.password')).fill(who.password)
    await dialog.getByRole('button', { name: t('totp.goOn') }).click()
    const secret = await dialog.locator('code').innerText()
    await dialog.getByRole('textbox', { name: t('signIn.code') }).fill(code(secret, 0))
    await dialog.getByRole('button', { name: t('totp.goOn') }).click()
    await expect(dialog.getByRole('heading', { name: t('totp.recovery') })).toBeVisible()
    await dialog.getByRole('button', { name: t('secret.done') }).click()
    await page.getByRole('button', { name: t('shell.account', { name: who.name }) }).click()
    await page.getByRole('menuitem', { name: t('shell.signOut') }).click()
    await expect(page).toHaveURL(/\/sign-in$/)
    refusals.push('401 /c/login')
    await page.getByLabel(t('signIn.name')).fill(who.name)
    await page.getByLabel(t('signIn.password'), { exact: true }).fill(who.password)
    await page.getByRole('button', { name: t('signIn.button') }).click()
    // A code counts once, so the next one is shown.
    await page.getByLabel(t('signIn.code')).fill(code(secret, 1))
    await page.getByRole('button', { name: t('signIn.button') }).click()
    await expect(page.locator('#main h1')).toBeVisible()
  })
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

test.describe('in Chinese, narrow', () => {
  test.use(WAYS[2])

  test('an access token is made, works and is revoked', async ({ page, server, own, t }) => {
    const who = await server.user(own('token'))
    await enter(page, server, who)
    await page.goto('/profile/tokens')
    await page.getByRole('button', { name: t('tokens.create') }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel(t('tokens.name')).fill('laptop')
    await dialog.getByRole('button', { name: t('action.create') }).click()
    await expect(dialog.getByRole('heading', { name: t('tokens.made') })).toBeVisible()
    const token = await dialog.locator('code').nth(1).innerText()
    const asked = () => fetch(`${server.url}/v2/`, { headers: { Authorization: `Basic ${btoa(`${who.name}:${token}`)}` } })
    expect((await asked()).status).toBe(200)
    await dialog.getByRole('button', { name: t('secret.done') }).click()
    await page.getByRole('button', { name: t('tokens.revoke') }).click()
    await dialog.getByRole('button', { name: t('tokens.revoke') }).click()
    await expect(page.getByText(t('tokens.none'))).toBeVisible()
    expect((await asked()).status).toBe(401)
  })
})

test('the language, the look and how dates are shown are chosen and stay', async ({ page, server }) => {
  await enter(page, server)
  await page.goto('/projects')
  await page.getByRole('button', { name: 'Language and dates' }).click()
  await page.getByRole('menuitemradio', { name: '简体中文' }).click()
  await expect(page.getByRole('heading', { name: '项目' })).toBeVisible()
  await page.reload()
  await expect(page.getByRole('button', { name: '新建项目' })).toBeVisible()
  await expect(page.locator('html')).toHaveAttribute('lang', 'zh-CN')
  await page.getByRole('button', { name: '外观' }).click()
  await page.getByRole('menuitemradio', { name: '深色' }).click()
  const made = page.locator('tbody time').first()
  await expect(made).toHaveAttribute('title', /\d{4}年/)
  await page.getByRole('button', { name: '语言和日期' }).click()
  await page.getByRole('menuitemradio', { name: 'ISO 8601' }).click()
  await expect(made).toHaveText(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0[12]:00$/)
  await page.reload()
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
  await expect(made).toHaveText(/^\d{4}-\d\d-\d\dT/)
  await page.getByRole('button', { name: '语言和日期' }).click()
  await expect(page.getByRole('menuitemradio', { name: 'ISO 8601' })).toHaveAttribute('aria-checked', 'true')
  await page.getByRole('menuitemradio', { name: '日期和时间' }).click()
  await expect(made).toHaveText(/^\d{4}年\d+月\d+日 \d\d:\d\d$/)
})

test('who may register does', async ({ page, server, own, browser, t }) => {
  await enter(page, server)
  await page.goto('/configuration')
  await page.getByLabel(t('auth.selfRegistration')).check()
  await page.getByRole('button', { name: t('action.save') }).click()
  await expect(page.getByText(t('settings.saved'))).toBeVisible()

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
  await other.getByLabel('Repeat the password').fill(ADMIN.password)
  await other.getByRole('button', { name: 'Create account' }).click()
  await expect(other.locator('#main h1')).toContainText('Ann O’New')
  await other.close()
  await server.ask('PUT', '/api/v2.0/configurations', { self_registration: false })
})

test.describe('narrow, in Chinese', () => {
  test.use(WAYS[2])

  test('a name is remembered by who wants that, and no other', async ({ page, server, own, refusals, t }) => {
    const who = await server.user(own('again'))
    const again = async () => {
      await page.goto('about:blank')
      await page.context().clearCookies()
      await page.goto('/sign-in')
    }
    await page.goto('/sign-in')
    refusals.push('401 /c/login')
    await page.getByLabel(t('signIn.name')).fill(who.name)
    await page.getByLabel(t('signIn.remember')).check()
    // Who is not let in is not remembered.
    await page.getByLabel(t('signIn.password'), { exact: true }).fill('Wrong-Secret-1')
    await page.getByRole('button', { name: t('signIn.button') }).click()
    await expect(page.getByText(t('signIn.wrong'))).toBeVisible()
    await page.reload()
    await expect(page.getByLabel(t('signIn.name'))).toHaveValue('')
    await page.getByLabel(t('signIn.name')).fill(who.name)
    await page.getByLabel(t('signIn.remember')).check()
    await page.getByLabel(t('signIn.password'), { exact: true }).fill(who.password)
    await page.getByRole('button', { name: t('signIn.button') }).click()
    await expect(page.locator('#main h1')).toBeVisible()
    await again()
    await expect(page.getByLabel(t('signIn.name'))).toHaveValue(who.name)
    await expect(page.getByLabel(t('signIn.password'), { exact: true })).toBeFocused()
    await page.getByLabel(t('signIn.remember')).uncheck()
    await page.getByLabel(t('signIn.password'), { exact: true }).fill(who.password)
    await page.keyboard.press('Enter')
    await expect(page.locator('#main h1')).toBeVisible()
    await again()
    await expect(page.getByLabel(t('signIn.name'))).toHaveValue('')
  })
})
