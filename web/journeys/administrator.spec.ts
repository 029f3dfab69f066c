// The server itself, and the people on it.

import { enter, expect, settled, test, WAYS } from './journey'

test.use(WAYS[3])

test('an administrator tells everybody something, and makes an account', async ({ page, server, own, t }) => {
  await enter(page, server)
  await page.goto('/configuration/banner')
  await page.getByLabel(t('banner.message')).fill('Down at noon <b>today</b>')
  await page.getByRole('button', { name: t('action.save') }).click()
  await expect(page.getByRole('status').getByText('Down at noon <b>today</b>')).toBeVisible()
  await server.ask('PUT', '/api/v2.0/configurations', { banner_message: '' })

  const name = own('made')
  await page.goto('/users')
  await page.getByRole('button', { name: t('users.create') }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel(t('account.username')).fill(name)
  await dialog.getByLabel(t('account.email')).fill(`${name}@example.com`)
  await dialog.getByLabel(t('account.realname')).fill('Made Here')
  await dialog.getByLabel(t('account.password'), { exact: true }).fill('Some-Secret-1')
  await dialog.getByLabel(t('account.again')).fill('Some-Secret-1')
  await dialog.getByRole('button', { name: t('action.create') }).click()
  await expect(page.getByText(t('users.made', { name }))).toBeVisible()
  await page.getByRole('searchbox').fill(name)
  await expect(page.getByRole('row')).toHaveCount(2)
  await page.getByRole('button', { name: t('table.actionsOf', { name }) }).click()
  await page.getByRole('menuitem', { name: t('users.promote') }).click()
  await dialog.getByRole('button', { name: t('users.promote') }).click()
  await expect(page.getByRole('row').nth(1)).toContainText(t('users.admin'))

  // The same on the page of the account.
  await page.getByRole('link', { name }).click()
  await expect(page).toHaveURL(/\/users\/\d+$/)
  // Until the page is there, the list is, which says the same of everybody.
  await settled(page)
  await expect(page.getByText(t('users.isAdmin'), { exact: true })).toBeVisible()
  await page.getByRole('button', { name: t('users.demote') }).click()
  await dialog.getByRole('button', { name: t('users.demote') }).click()
  await expect(page.getByText(t('users.isAdmin'), { exact: true })).toHaveCount(0)
  await page.getByRole('button', { name: t('action.edit') }).click()
  await dialog.getByLabel(t('account.realname')).fill('Changed Here')
  await dialog.getByRole('button', { name: t('action.save') }).click()
  await expect(page.locator('#main').getByText('Changed Here')).toBeVisible()
  await page.getByRole('button', { name: t('action.delete') }).click()
  await expect(dialog).toContainText(name)
  await dialog.getByRole('button', { name: t('action.delete') }).click()
  await expect(page).toHaveURL(/\/users$/)
  await page.getByRole('searchbox').fill(name)
  await expect(page.getByText(t('table.nothing'))).toBeVisible()

  // What was done is still to be read when the news of it are gone.
  await page.getByRole('button', { name: t('told.title'), exact: true }).click()
  const told = page.getByRole('region', { name: t('told.title') })
  await expect(told.getByRole('listitem')).toContainText([t('users.deleted', { n: 1 }), t('users.changed', { n: 1, name })])
  await told.getByRole('button', { name: t('told.clear') }).click()
  await expect(told).toContainText(t('told.nothing'))
  await page.keyboard.press('Escape')
  await expect(told).toHaveCount(0)
})
