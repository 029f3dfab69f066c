// What people do to a page that they should not have to think about, on slow networks and by clocks
// that are wrong. Names and texts of every kind are in the sweep of all pages (world.ts).

import { ADMIN } from './server'
import { enter, expect, settled, test } from './journey'

test('a slow network shows that something is done, and does it once', async ({ page, server, own, t }) => {
  const name = own('slow')
  await enter(page, server)
  await page.goto('/projects?new=1')
  await settled(page)
  const network = await page.context().newCDPSession(page)
  await network.send('Network.enable')
  await network.send('Network.emulateNetworkConditions', { offline: false, latency: 1500, downloadThroughput: 30_000, uploadThroughput: 30_000 })
  const form = page.getByRole('dialog', { name: t('projects.create') })
  await form.getByLabel(t('projects.name')).fill(name)
  const create = form.getByRole('button', { name: t('action.create') })
  const sent: string[] = []
  page.on('request', (asked) => asked.method() === 'POST' && sent.push(asked.url()))
  await create.click()
  await expect(create).toHaveAttribute('aria-busy', 'true')
  // Who does not wait presses Enter again.
  await form.getByLabel(t('projects.name')).press('Enter')
  await expect(page).toHaveURL(new RegExp(`/projects/${name}$`))
  expect(sent).toHaveLength(1)
})

for (const [clock, days] of [['ahead', 3], ['behind', -3]] as const) {
  test(`a clock that is ${clock} changes nothing`, async ({ page, server, own, t }) => {
    const name = own('clock')
    await server.project(name)
    await page.clock.install({ time: Date.now() + days * 86_400_000 })
    await enter(page, server)
    await page.goto(`/projects/${name}`)
    // What was made a moment ago was made a moment ago.
    await expect(page.getByText(t('time.now')).first()).toBeVisible()
    await page.goto('/profile/tokens?new=1')
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel(t('tokens.name')).fill(name)
    await dialog.getByRole('button', { name: t('action.create') }).click()
    await expect(dialog.getByRole('heading', { name: t('tokens.made') })).toBeVisible()
    const secret = await dialog.locator('code').nth(1).innerText()
    const asked = await fetch(`${server.url}/v2/`, { headers: { Authorization: `Basic ${btoa(`${ADMIN.name}:${secret}`)}` } })
    expect(asked.status).toBe(200)
  })
}

test('back and reload keep what a list showed', async ({ page, server, own, t }) => {
  const name = own('many')
  await server.project(name)
  for (const n of [...Array(17).keys()]) await server.push(`${name}/app`, `1.${n}`)
  await enter(page, server)
  await page.goto(`/projects/${name}/repositories/app?page_size=15`)
  await expect(page.getByRole('row')).toHaveCount(16)
  await page.getByRole('button', { name: t('artifacts.size') }).click()
  await expect(page).toHaveURL(/sort=/)
  await page.getByRole('button', { name: t('table.next') }).click()
  await expect(page.getByRole('row')).toHaveCount(3)
  const link = page.url()
  await page.getByRole('row').nth(1).getByRole('link').first().click()
  await expect(page).toHaveURL(/artifacts\/sha256/)
  await page.goBack()
  await expect(page).toHaveURL(link)
  await expect(page.getByRole('row')).toHaveCount(3)
  await page.reload()
  await expect(page.getByRole('row')).toHaveCount(3)
  await page.goBack()
  await expect(page.getByRole('row')).toHaveCount(16)
  // A page that is no longer there: a list that has become shorter, or an old link.
  await page.goto(`/projects/${name}/repositories/app?page_size=15&page=99`)
  await expect(page).toHaveURL(/page=2$/)
  await expect(page.getByRole('row')).toHaveCount(3)
})

test('a page that is left sees nothing of the next address', async ({ page, server, own, t }) => {
  const name = own('left')
  await server.project(name)
  for (const n of [...Array(17).keys()]) await server.push(`${name}/app`, `1.${n}`)
  await enter(page, server)
  await page.goto(`/projects/${name}/repositories/app?page_size=15&page=2`)
  const link = page.url()
  await page.getByRole('row').nth(1).getByRole('link').first().click()
  await expect(page.getByRole('heading', { name: t('artifacts.tags'), exact: true })).toBeVisible()
  // Loaded anew here, the portal does not have the page of the list, which comes late.
  await page.reload()
  await expect(page.getByRole('heading', { name: t('artifacts.tags'), exact: true })).toBeVisible()
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  let comes = () => {}
  const late = new Promise<void>((done) => (comes = done))
  await page.route('**/assets/Repository-*.js', async (route) => {
    await late
    await route.continue()
  })
  await page.goBack()
  await expect(page.getByRole('status').filter({ hasText: t('table.loading') })).toBeVisible()
  await expect(page.getByRole('main')).toHaveAttribute('aria-busy', 'true')
  await expect(page.getByRole('heading', { name: t('artifacts.tags'), exact: true })).toBeVisible()
  expect(asked.filter((url) => /sha256.*[?&]page=2\b/.test(url))).toEqual([])
  comes()
  await expect(page.getByRole('row')).toHaveCount(3)
  await expect(page).toHaveURL(link)
})
