// People of a directory: a real slapd, set up in the portal.

import { enter, expect, signIn, test as base, violations, WAYS } from './journey'
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

test('an administrator sets up a directory, and somebody in it sees what their group gives', async ({ page, server, directory, browser, refusals, t }) => {
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

  // People come in by search, several at once; two entries of one name are nobody.
  const dialog = page.getByRole('dialog')
  refusals.push('404 /api/v2.0/ldap/users/import')
  await page.goto('/users')
  await page.getByRole('button', { name: t('users.import') }).click()
  const search = dialog.getByRole('searchbox')
  await search.fill('archer')
  await dialog.getByRole('checkbox', { name: 'alice' }).check()
  await search.fill('twin')
  await dialog.getByRole('checkbox', { name: 'twin' }).check()
  await expect(dialog.getByRole('checkbox', { name: 'alice' })).toHaveCount(0)
  expect(await violations(page)).toEqual([])
  await dialog.getByRole('button', { name: t('users.importVerb', { n: 2 }) }).click()
  await expect(dialog.getByRole('alert')).toContainText(t('users.importFailed', { n: 1 }))
  await expect(dialog.getByRole('alert')).toContainText(t('users.importUnknown'))
  await expect(page.getByText(t('users.imported', { n: 1 }))).toBeVisible()
  await search.fill('example.org')
  await expect(dialog.getByRole('checkbox', { name: 'alice' })).toBeDisabled()
  await dialog.getByRole('button', { name: t('action.close') }).last().click()
  // The list says where she is from, and nothing is offered that is changed there.
  await expect(page.getByRole('row', { name: /alice/ })).toContainText('LDAP')
  await page.getByRole('link', { name: 'alice' }).click()
  await expect(page.getByRole('button', { name: t('users.promote') })).toBeVisible()
  await expect(page.getByRole('button', { name: t('users.setPassword') })).toHaveCount(0)

  // A group is chosen by a part of its name; those of somebody who came in are here already.
  await page.goto('/groups')
  await page.getByRole('button', { name: t('groups.create') }).first().click()
  await expect(dialog.getByLabel(t('groups.type'))).toHaveValue('1')
  const field = dialog.getByRole('combobox', { name: t('groups.name') })
  await field.fill('e')
  await expect(dialog.getByRole('option', { name: /^dev/ })).toHaveAttribute('aria-disabled', 'true')
  await field.fill('engin')
  await expect(dialog.getByRole('listbox').getByRole('option')).toHaveCount(1)
  expect(await violations(page)).toEqual([])
  await field.press('ArrowDown')
  await field.press('Enter')
  await expect(dialog.getByLabel(t('groups.dn'))).toHaveValue('cn=engineering,ou=groups,dc=example,dc=org')
  await dialog.getByRole('button', { name: t('action.create') }).click()
  await expect(page.getByRole('row', { name: /engineering/ })).toBeVisible()

  await page.goto('/projects/shop/members')
  await page.getByRole('button', { name: t('members.add') }).click()
  await dialog.getByLabel(t('members.kind')).selectOption(t('members.group'))
  await field.fill('de')
  await dialog.getByRole('option', { name: /^dev/ }).click()
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

  await his.goto('/profile')
  await expect(his.getByText(t('profile.fixed', { names: 'LDAP' }))).toBeVisible()
  await expect(his.getByLabel(t('password.old'))).toHaveCount(0)

  // He owns a project, and may not look around in the directory: he finds whom he can name.
  await server.ask('POST', '/api/v2.0/projects', { project_name: 'crew' }, { name: 'bob', password: Directory.PASSWORD })
  await his.goto('/projects/crew/members')
  await his.getByRole('button', { name: t('members.add') }).click()
  const own = his.getByRole('dialog')
  await expect(own.getByText(t('members.findsPerson', { names: 'LDAP' }))).toBeVisible()
  await own.getByRole('combobox', { name: t('account.username') }).fill('archer')
  await expect(own.getByText(t('members.nobody'))).toBeVisible()
  await own.getByRole('combobox', { name: t('account.username') }).fill('o*(brien\\29')
  await expect(own.getByRole('option', { name: /Odd O'Brien/ })).toBeVisible()
  await own.getByLabel(t('members.kind')).selectOption(t('members.group'))
  await own.getByRole('combobox', { name: t('groups.name') }).fill('cn=everybody,ou=groups,dc=example,dc=org')
  await own.getByRole('option', { name: /^everybody/ }).click()
  await own.getByRole('button', { name: t('action.add') }).click()
  await expect(his.getByRole('row', { name: 'everybody' })).toBeVisible()
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
