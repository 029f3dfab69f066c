// People of a directory: a real slapd, set up in the portal.

import { enter, expect, signIn, test as base, WAYS } from './journey'
import { Directory } from './outside'
import { Server } from './server'

// How people sign in belongs to a whole server, so this one serves nothing else.
const test = base.extend<object, { server: Server; directory: Directory }>({
  server: [
    async ({}, use) => {
      const server = await Server.start()
      await use(server)
      await server.stop()
    },
    { scope: 'worker' },
  ],
  directory: [
    async ({}, use) => {
      const directory = await Directory.start()
      await use(directory)
      await directory.stop()
    },
    { scope: 'worker' },
  ],
})
test.use(WAYS[1])

const GROUP = 'cn=dev,ou=groups,dc=example,dc=org'

test('an administrator sets up a directory, and somebody in it sees what their group gives', async ({ page, server, directory, browser, t }) => {
  await server.project('shop')
  await server.push('shop/web', '1.0')
  await enter(page, server)
  await page.goto('/configuration')
  await page.getByLabel(t('auth.mode')).selectOption(t('groupType.1'))
  const fill = (label: string, value: string) => page.getByLabel(label, { exact: true }).fill(value)
  await fill(t('source.url'), directory.url)
  await fill(t('source.search_dn'), 'cn=search,dc=example,dc=org')
  await fill(t('source.secret.ldap'), 'not this one')
  await fill(t('source.base_dn'), 'dc=example,dc=org')
  await fill(t('source.filter'), 'objectClass=inetOrgPerson')
  await fill(t('source.uid'), 'uid')
  await fill(t('source.group_base_dn'), 'ou=groups,dc=example,dc=org')
  await fill(t('source.group_filter'), 'objectClass=groupOfNames')
  await fill(t('source.group_name_attribute'), 'cn')
  await fill(t('source.group_admin_dn'), 'cn=admins,ou=groups,dc=example,dc=org')
  // What is entered is tested before it is saved.
  const test = page.getByRole('button', { name: t('auth.test') })
  await test.click()
  await expect(page.getByText(t('auth.testFailed'))).toBeVisible()
  await fill(t('source.secret.ldap'), Directory.PASSWORD)
  await test.click()
  await expect(page.getByText(t('auth.tested'))).toBeVisible()
  await page.getByRole('button', { name: t('action.save') }).click()
  await expect(page.getByText(t('settings.saved'))).toBeVisible()
  // What is saved can be tested again without the password, which no page shows.
  await page.reload()
  await expect(page.getByLabel(t('source.secret.ldap'))).toHaveValue('')
  await test.click()
  await expect(page.getByText(t('auth.tested'))).toBeVisible()

  await page.goto('/groups')
  await page.getByRole('button', { name: t('groups.create') }).first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel(t('groups.type')).selectOption(t('groupType.1'))
  await dialog.getByLabel(t('groups.name')).fill('dev')
  await dialog.getByLabel(t('groups.dn')).fill(GROUP)
  await dialog.getByRole('button', { name: t('action.create') }).click()
  await expect(page.getByRole('row', { name: GROUP })).toBeVisible()
  await page.goto('/projects/shop/members')
  await page.getByRole('button', { name: t('members.add') }).click()
  await dialog.getByLabel(t('members.kind')).selectOption(t('members.group'))
  await dialog.getByLabel(t('groups.name')).fill('dev')
  await dialog.getByLabel(t('members.role')).selectOption(t('role.2'))
  await dialog.getByRole('button', { name: t('action.add') }).click()
  await expect(page.getByRole('row', { name: 'dev' })).toContainText(t('role.2'))

  // Bob is in the group, and nobody has made an account for him.
  const his = await browser.newPage({ baseURL: server.url, ...WAYS[1] })
  await signIn(his, { name: 'bob', password: Directory.PASSWORD })
  await his.goto('/projects')
  await his.getByRole('link', { name: 'shop' }).click()
  await expect(his.getByRole('link', { name: 'web' })).toBeVisible()
  await expect(his.getByText(t('role.2')).first()).toBeVisible()
  await expect(his.getByRole('link', { name: t('nav.users'), exact: true })).toHaveCount(0)
  await his.close()

  // Alice is in the group of administrators.
  const hers = await browser.newPage({ baseURL: server.url, ...WAYS[1] })
  await signIn(hers, { name: 'alice', password: Directory.PASSWORD })
  await hers.getByRole('navigation', { name: t('shell.navigation') }).getByRole('link', { name: t('nav.users'), exact: true }).click()
  await expect(hers.getByRole('row', { name: /bob/ })).toBeVisible()
  await hers.close()

  // A directory that is away is told of.
  await directory.stop()
  await page.goto('/configuration')
  await test.click()
  await expect(page.getByText(t('auth.testFailed'))).toBeVisible()
})
