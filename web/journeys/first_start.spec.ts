// From nothing to the first image.

import { ADMIN } from './server'
import { expect, test, WAYS } from './journey'
import { Crane } from './outside'

test.use(WAYS[0])

test('an administrator signs in, is told how to push, and pushes', async ({ page, refusals, t }) => {
  await page.goto('/')
  await expect(page).toHaveURL(/\/sign-in$/)
  await page.getByLabel(t('signIn.name')).fill(ADMIN.name)
  await page.getByLabel(t('signIn.password'), { exact: true }).fill('not this one')
  refusals.push('401 /c/login')
  await page.getByRole('button', { name: t('signIn.button') }).click()
  await expect(page.getByText(t('signIn.wrong'))).toBeVisible()
  await page.getByLabel(t('signIn.password'), { exact: true }).fill(ADMIN.password)
  await page.getByRole('button', { name: t('signIn.button') }).click()
  await expect(page.locator('#main h1')).toBeVisible()

  // What the page says is what is done.
  await page.goto('/projects/library')
  const lines = page.getByRole('region', { name: t('firstPush.title') }).locator('code')
  await expect(lines).toHaveCount(3)
  const [login, , push] = await lines.allInnerTexts()
  const [, host, name] = /^docker login (\S+) --username (\S+)$/.exec(login ?? '') ?? []
  const reference = /^docker push (\S+)$/.exec(push ?? '')?.[1] ?? ''
  expect(name).toBe(ADMIN.name)
  const crane = new Crane()
  try {
    crane.run('auth', 'login', host ?? '', '--username', name ?? '', '--password', ADMIN.password)
    crane.push(reference)
  } finally {
    await crane.stop()
  }
  await page.reload()
  await page.getByRole('link', { name: 'alpine' }).first().click()
  await expect(page.getByRole('row')).toHaveCount(2)
  await expect(page.getByRole('row').nth(1)).toContainText('1')
})
