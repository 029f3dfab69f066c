// What a page does when the server does not give what it asks for.

import type { Route } from '@playwright/test'
import { enter, expect, test, WAYS } from './journey'
import { pushChart, pushPackage } from './pushes'

const BROKEN = {
  status: 500,
  contentType: 'application/json',
  headers: { 'X-Request-Id': 'a-request' },
  body: JSON.stringify({ errors: [{ code: 'UNKNOWN', message: 'the database is away' }] }),
}

/** The server's failure, while it fails. */
function failing() {
  const server = { fails: true }
  const answer = (route: Route) => (server.fails ? route.fulfill(BROKEN) : route.fallback())
  return { server, answer }
}

test.use(WAYS[3])

test('a list that fails names the request, and is tried again', async ({ page, server, own, refusals, t }) => {
  const name = own('there')
  await server.ask('POST', '/api/v2.0/labels', { name, scope: 'g', color: '#123456' })
  refusals.push('500 /api/v2.0/labels')
  await enter(page, server)
  const { server: state, answer } = failing()
  await page.route('**/api/v2.0/labels?*', answer)
  await page.goto(`/labels?name=${name}`)
  const alert = page.getByRole('alert')
  const again = alert.getByRole('button', { name: t('action.retry') })
  await expect(alert).toContainText(t('failure.server'))
  await expect(alert).toContainText('the database is away')
  await expect(alert).toContainText(t('failure.request', { id: 'a-request' }))
  const told = page.waitForResponse(/api\/v2\.0\/labels/)
  await again.click()
  expect((await told).status()).toBe(500)
  await expect(alert).toBeVisible()
  state.fails = false
  await again.click()
  await expect(page.getByRole('row', { name: new RegExp(name) })).toBeVisible()
  await expect(alert).toHaveCount(0)

  // What is shown already stays in sight when it cannot be asked for anew.
  state.fails = true
  await page.getByRole('button', { name: t('action.reload'), exact: true }).click()
  await expect(page.getByText(t('failure.request', { id: 'a-request' }))).toBeVisible()
  await expect(page.getByRole('row', { name: new RegExp(name) })).toBeVisible()
})

test('a deletion that fails half way is gone on with', async ({ page, server, own, refusals, t }) => {
  const names = ['a', 'b', 'c'].map((letter) => own(`half-${letter}`))
  for (const name of names) await server.ask('POST', '/api/v2.0/labels', { name, scope: 'g', color: '#123456' })
  refusals.push('500 /api/v2.0/labels/')
  await enter(page, server)
  const { server: state, answer } = failing()
  let deleted = 0
  await page.route('**/api/v2.0/labels/*', (route) => {
    deleted += 1
    return deleted === 2 ? answer(route) : route.fallback()
  })
  await page.goto(`/labels?name=${own('half').replace(/^half/, '')}`)
  await page.getByRole('checkbox', { name: t('table.markAll') }).check()
  await page.getByRole('button', { name: t('action.delete'), exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: t('action.delete') }).click()
  await expect(dialog.getByRole('alert')).toContainText(t('failure.server'))
  // Behind it stands what is left.
  await expect(page.getByRole('row', { includeHidden: true })).toHaveCount(3)
  state.fails = false
  // What the first attempt removed is not missed by the second.
  refusals.push('404 /api/v2.0/labels/')
  await dialog.getByRole('button', { name: t('action.delete') }).click()
  await expect(dialog).toHaveCount(0)
  for (const name of names) await expect(page.getByRole('row', { name: new RegExp(name) })).toHaveCount(0)
})

test('a part of an artifact that cannot be read says why, and the others are there', async ({ page, server, own, refusals, t }) => {
  const name = own('broken')
  await server.project(name)
  const about = { apiVersion: 'v2', name: 'odd', version: '1.0.0', dependencies: [{ name: 'redis', version: '20.1.0', repository: 'https://charts.example.org' }] }
  const odd = await pushPackage(server, `${name}/odd`, '1.0.0', about, 'no package at all')
  const whole = await pushChart(server, `${name}/whole`, '1.0.0', { 'values.yaml': 'replicas: 3\n' })
  refusals.push(`400 /api/v2.0/projects/${name}/repositories/odd`, `500 /api/v2.0/projects/${name}/repositories/whole`)
  await enter(page, server)
  await page.goto(`/projects/${name}/repositories/odd/artifacts/${odd}?part=values.yaml`)
  const alert = page.getByRole('alert')
  await expect(alert).toContainText(t('failure.refused'))
  await expect(alert).toContainText(/[0-9a-f-]{16,}/)
  await page.getByRole('link', { name: t('additionName.dependencies') }).click()
  await expect(page.getByRole('cell', { name: 'redis' })).toBeVisible()
  await expect(alert).toHaveCount(0)

  const { server: state, answer } = failing()
  await page.route('**/additions/values.yaml', answer)
  await page.goto(`/projects/${name}/repositories/whole/artifacts/${whole}?part=values.yaml`)
  await expect(alert).toContainText(t('failure.request', { id: 'a-request' }))
  state.fails = false
  await alert.getByRole('button', { name: t('action.retry') }).click()
  await expect(page.getByText('replicas', { exact: true })).toBeVisible()
})
