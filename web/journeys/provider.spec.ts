// People of an OpenID provider: a real one, set up in the portal.

import { enter, expect, test as base, WAYS } from './journey'
import { Provider } from './outside'
import { Server } from './server'

// How people sign in belongs to a whole server, so this one serves nothing else.
const test = base.extend<object, { server: Server; provider: Provider }>({
  server: [
    async ({}, use) => {
      const server = await Server.start()
      await use(server)
      await server.stop()
    },
    { scope: 'worker' },
  ],
  provider: [
    async ({ server }, use) => {
      const provider = await Provider.start(server.url)
      await use(provider)
      await provider.stop()
    },
    { scope: 'worker' },
  ],
})
test.use(WAYS[2])

/** What it is called where people sign in: text, whatever it looks like. */
const SOURCE = 'Example "ID" <b onclick=alert(1)>הזדהות</b>'

test('an administrator adds a provider; somebody of it signs in, chooses a name, and signs out of both', async ({ page, server, provider, context, elsewhere, refusals, t }) => {
  // The provider's own page wants a font from far away, which it does not get.
  const fonts = 'https://fonts.googleapis.com/'
  await context.route(`${fonts}**`, (route) => route.abort())
  elsewhere.push(provider.url, fonts)
  // Where to sign out at the provider is told by a 403, as Harbor's portal expects it.
  refusals.push('404 /favicon.ico', '401 /api/v2.0/projects/shop', '403 /c/log_out')
  await server.project('shop')
  await server.push('shop/web', '1.0')
  await enter(page, server)
  await page.goto('/configuration')
  await page.getByRole('button', { name: t('auth.addSource') }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel(t('groups.type')).selectOption(t('sourceType.oidc'))
  await dialog.getByLabel(t('auth.sourceName')).fill(SOURCE)
  await dialog.getByLabel(t('source.endpoint')).fill(provider.url)
  await dialog.getByLabel(t('source.client_id')).fill(Provider.CLIENT.id)
  await dialog.getByLabel(t('source.secret.oidc')).fill(Provider.CLIENT.secret)
  await dialog.getByText(t('auth.more')).click()
  await dialog.getByLabel(t('source.groups_claim')).fill('groups')
  await dialog.getByLabel(t('source.oidc_scope')).fill('openid,profile,email,groups,offline_access')
  await dialog.getByLabel(t('source.logout')).check()
  await dialog.getByRole('button', { name: t('action.add') }).click()
  const source = page.getByRole('listitem').filter({ hasText: SOURCE })
  await source.getByRole('button', { name: t('action.test') }).click()
  await expect(page.getByText(t('auth.testedSource', { name: SOURCE }))).toBeVisible()
  await server.ask('POST', '/api/v2.0/usergroups', { group_name: 'dev', group_type: 3 })
  await server.ask('POST', '/api/v2.0/projects/shop/members', { role_id: 3, member_group: { group_name: 'dev', group_type: 3 } })

  // Somebody else, in the same browser.
  await context.clearCookies()
  await page.goto('/projects/shop')
  await expect(page).toHaveURL(/\/sign-in\?redirect_url=/)
  await page.getByRole('link', { name: t('signIn.with', { name: SOURCE }) }).click()
  await expect(page).toHaveURL(new RegExp(`^${provider.url}`))
  await page.getByLabel('Account').fill('bob')
  await page.getByRole('button', { name: 'Continue' }).click()
  await expect(page.getByRole('heading', { name: t('onboard.title') })).toBeVisible()
  const name = page.getByLabel(t('signIn.name'))
  await expect(name).toHaveValue('Bob')
  refusals.push('409 /c/oidc/onboard', '400 /c/oidc/onboard')
  await name.fill('admin')
  await page.getByRole('button', { name: t('onboard.button') }).click()
  await expect(page.getByRole('alert')).toBeVisible()
  await name.fill('bob-of-example')
  await page.getByRole('button', { name: t('onboard.button') }).click()
  // Back to where they wanted to go, with what their group gives.
  await expect(page).toHaveURL(/\/projects\/shop$/)
  await expect(page.getByText(t('role.3')).first()).toBeVisible()

  // What docker takes in place of the password that they do not have here.
  await page.goto('/profile/tokens')
  await page.getByRole('button', { name: t('cli.renew') }).first().click()
  await dialog.getByRole('button', { name: t('cli.renew') }).click()
  await expect(page.getByText(t('cli.renewed'))).toBeVisible()
  const secret = await page.getByRole('region', { name: t('cli.title') }).locator('code').innerText()
  const asked = await fetch(`${server.url}/v2/`, { headers: { Authorization: `Basic ${btoa(`bob-of-example:${secret}`)}` } })
  expect(asked.status).toBe(200)

  await page.getByRole('button', { name: t('shell.account', { name: 'bob-of-example' }) }).click()
  await page.getByRole('menuitem', { name: t('shell.signOut') }).click()
  await expect(page).toHaveURL(new RegExp(`^${provider.url}/session/end`))
  await page.getByRole('button', { name: /yes/i }).click()
  await expect(page).toHaveURL(/\/sign-in/)
  // Known at neither of the two any more: the provider asks again.
  await page.getByRole('link', { name: t('signIn.with', { name: SOURCE }) }).click()
  await expect(page.getByLabel('Account')).toBeVisible()
})
