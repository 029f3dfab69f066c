// The server itself, and the people on it.

import { enter, expect, test, WAYS } from './journey'

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
})
