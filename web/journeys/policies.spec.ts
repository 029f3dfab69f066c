// What rules do with a project's tags, and whose tokens its robots trust.

import { enter, expect, test } from './journey'

test('an owner keeps what is worth it, and locks what is released', async ({ page, server, own, refusals }) => {
  const name = own('kept')
  await server.project(name)
  for (const tag of ['v1', 'v2', 'v3', 'v4', 'nightly']) await server.push(`${name}/web/app`, tag)
  const who = await server.user(own('owner'))
  await server.ask('POST', `/api/v2.0/projects/${name}/members`, { role_id: 1, member_user: { username: who.name } })
  const dialog = page.getByRole('dialog')

  // A rule says what stays.
  await enter(page, server, who)
  await page.goto(`/projects/${name}/policies`)
  await page.getByRole('button', { name: 'New rule' }).click()
  await expect(dialog.getByText('Matches now: web/app')).toBeVisible()
  await dialog.getByLabel('Tags: pattern').fill('v[')
  await expect(dialog.getByText('A bracket [ is not closed.')).toBeVisible()
  await dialog.getByLabel('Tags: pattern').fill('v*')
  await dialog.getByLabel('Try a tag').fill('nightly')
  await expect(dialog.getByText('does not match')).toBeVisible()
  await dialog.getByLabel('How many').fill('2')
  await dialog.getByRole('button', { name: 'Add', exact: true }).click()
  const rules = page.getByRole('list', { name: 'Rules' })
  await expect(rules).toContainText('In all repositories, of tags matching v* and artifacts without a tag: keep the 2 most recently pushed.')

  // A dry run shows what would go, and why.
  await page.getByRole('button', { name: 'Dry run' }).click()
  await expect(page).toHaveURL(/policies\/retention\/\d+$/)
  await expect(page.getByRole('button', { name: 'Would go 3' })).toBeVisible()
  await expect(page.getByRole('button', { name: 'Kept by a rule 2' })).toBeVisible()
  await expect(page.getByRole('row', { name: /v1/ })).toContainText('Not kept by rule 1 (the 2 most recently pushed)')
  await expect(page.getByRole('row', { name: /nightly/ })).toContainText('No rule covers its tags')
  await expect(page.getByRole('row', { name: /v4/ })).toContainText('rule 1 (the 2 most recently pushed)')
  await page.getByRole('button', { name: 'Would go 3' }).click()
  await expect(page).toHaveURL(/outcome=delete/)
  await expect(page.getByRole('row')).toHaveCount(4)
  await page.getByRole('searchbox').fill('v1')
  await expect(page.getByRole('row')).toHaveCount(2)
  const saved = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Download as CSV' }).click()
  expect((await saved).suggestedFilename()).toBe('retention-findings.csv')
  await page.getByRole('link', { name: 'Repositories', exact: true }).last().click()
  await page.getByRole('button', { name: 'Log of web/app' }).click()
  await expect(dialog.getByText(`Repository: ${name}/web/app`)).toBeVisible()
  await dialog.getByRole('button', { name: 'Close' }).last().click()

  // What is released is locked: it can neither be deleted by hand nor by retention.
  await page.goto(`/projects/${name}/policies/immutable`)
  await page.getByRole('button', { name: 'New rule' }).click()
  await dialog.getByLabel('Tags: pattern').fill('v1')
  await dialog.getByRole('button', { name: 'Add', exact: true }).click()
  await expect(page.getByText('tags matching v1 can be neither moved nor deleted')).toBeVisible()
  await page.goto(`/projects/${name}/repositories/web%2Fapp`)
  await page.getByRole('checkbox', { name: 'Select v1' }).check()
  await page.getByRole('button', { name: 'Delete', exact: true }).click()
  refusals.push(`412 /api/v2.0/projects/${name}/repositories`)
  await dialog.getByRole('button', { name: 'Delete' }).click()
  await expect(dialog.getByText('configured as immutable, cannot be deleted')).toBeVisible()

  // A real run tells what the last dry run found, and asks for the name.
  await page.goto(`/projects/${name}/policies`)
  await page.getByRole('button', { name: 'Run now' }).click()
  await expect(dialog.getByText('would have deleted 3 artifacts of 5.')).toBeVisible()
  await expect(dialog.getByRole('button', { name: 'Delete now' })).toBeDisabled()
  await dialog.getByLabel(`To confirm, type ${name}`).fill(name)
  await dialog.getByRole('button', { name: 'Delete now' }).click()
  await expect(page.getByRole('button', { name: 'Deleted 2' })).toBeVisible()
  await expect(page.getByRole('row', { name: /v1/ })).toContainText('One of its tags is immutable')
  const { tags } = (await (await server.ask('GET', `/v2/${name}/web/app/tags/list`)).json()) as { tags: string[] }
  expect(tags).toEqual(['v1', 'v3', 'v4'])
  await page.goBack()
  await expect(page.getByRole('row', { name: /Real run/ })).toContainText('Done')
})

test('a rule is changed in one of two tabs only', async ({ page, server, own, context }) => {
  const name = own('tabs')
  await server.project(name)
  await enter(page, server)
  await page.goto(`/projects/${name}/policies?new=1`)
  await page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click()
  await expect(page.getByRole('list', { name: 'Rules' })).toContainText('10 most recently pushed')
  const other = await context.newPage()
  await other.goto(`/projects/${name}/policies`)
  for (const [tab, number] of [[page, '7'], [other, '3']] as const) {
    await tab.getByRole('button', { name: 'Actions for rule 1' }).click()
    await tab.getByRole('menuitem', { name: 'Edit' }).click()
    await tab.getByRole('dialog').getByLabel('How many').fill(number)
  }
  await other.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await expect(other.getByRole('list', { name: 'Rules' })).toContainText('3 most recently pushed')
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await expect(page.getByRole('dialog').getByText('was changed meanwhile')).toBeVisible()
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  await page.reload()
  await expect(page.getByRole('list', { name: 'Rules' })).toContainText('3 most recently pushed')
})

test('a robot trusts the tokens of an issuer', async ({ page, server, own }) => {
  const name = own('trust')
  await server.project(name)
  const made = await server.ask('POST', '/api/v2.0/robots', {
    name: 'ci',
    level: 'project',
    duration: 30,
    permissions: [{ kind: 'project', namespace: name, access: [{ resource: 'repository', action: 'pull' }] }],
  })
  const { id } = (await made.json()) as { id: number }
  await enter(page, server)
  await page.goto(`/projects/${name}/robots`)
  await page.getByRole('button', { name: /^Actions for robot/ }).click()
  await page.getByRole('menuitem', { name: 'Trusted issuers' }).click()
  const dialog = page.getByRole('dialog').last()
  await expect(dialog.getByText('No issuer is trusted yet')).toBeVisible()
  await dialog.getByRole('button', { name: 'Trust an issuer' }).click()
  await dialog.getByRole('button', { name: 'Trust', exact: true }).click()
  await expect(dialog.getByText('An address that begins with https://')).toBeVisible()
  await dialog.getByRole('button', { name: 'GitHub Actions' }).click()
  await dialog.getByLabel('Claim 1: pattern').fill('my-org/*')
  await dialog.getByRole('button', { name: 'Trust', exact: true }).click()
  await expect(page.getByText('https://token.actions.githubusercontent.com')).toBeVisible()
  const trusts = (await (await server.ask('GET', `/api/haven/v1/robots/${id}/trusts`)).json()) as object[]
  expect(trusts).toMatchObject([{ issuer: 'https://token.actions.githubusercontent.com', claims: { repository: 'my-org/*', ref: 'refs/heads/main' } }])
  await page.getByRole('button', { name: 'No longer trust https://token.actions.githubusercontent.com' }).click()
  await page.getByRole('dialog').last().getByRole('button', { name: 'Remove' }).click()
  await expect(page.getByText('No issuer is trusted yet')).toBeVisible()
})
