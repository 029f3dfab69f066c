// Who did what.

import { readFileSync } from 'node:fs'
import { enter, expect, test, WAYS } from './journey'

test.use(WAYS[1])

test('an auditor finds who deleted what, and a link reproduces the view', async ({ page, server, own, t }) => {
  const name = own('gone')
  const who = await server.user(own('deleter'))
  await server.ask('POST', '/api/v2.0/projects', { project_name: name }, who)
  await server.push(`${name}/app`, '1.0')
  await server.ask('DELETE', `/api/v2.0/projects/${name}/repositories/app`, undefined, who)
  await server.ask('DELETE', `/api/v2.0/projects/${name}`, undefined, who)
  await enter(page, server)
  await page.goto('/audit')
  await page.getByRole('searchbox').fill(name)
  await page.getByLabel(t('audit.operation')).selectOption(t('operation.delete'))
  await expect(page.getByRole('row')).toHaveCount(3)
  // Of the two, the repository.
  await page.getByLabel(t('audit.type')).selectOption(t('auditType.repository'))
  await expect(page.getByRole('row')).toHaveCount(2)
  await expect(page.getByRole('row').nth(1)).toContainText(who.name)
  await expect(page.getByRole('row').nth(1)).toContainText(`${name}/app`)
  const link = page.url()
  await page.goto('/about')
  await page.goto(link)
  await expect(page.getByRole('row')).toHaveCount(2)
  await expect(page.getByRole('row').nth(1)).toContainText(name)
  const saved = page.waitForEvent('download')
  await page.getByRole('button', { name: t('table.download') }).click()
  const file = await saved
  expect(file.suggestedFilename()).toBe('audit-log.csv')
  const lines = readFileSync(await file.path(), 'utf8').trim().split('\n')
  expect(lines).toHaveLength(2)
  expect(lines[1]).toContain(who.name)
})
