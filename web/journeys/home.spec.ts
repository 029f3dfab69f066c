// What somebody sees at a glance.

import { enter, expect, test, violations } from './journey'
import { words } from './words'

const t = words('en-GB')

test('an administrator sees what was pushed, pulled and stored, and reads it by the keyboard', async ({ page, server, own }) => {
  const name = own('busy')
  await server.project(name)
  const digest = await server.push(`${name}/web/app`, '1.0', 'x'.repeat(50_000))
  await enter(page, server)
  await page.goto('/')
  const newest = page.getByRole('region', { name: t('home.newest') })
  await expect(newest.getByRole('link', { name: new RegExp(`${name}/web/app`) })).toBeVisible()
  // It is counted within seconds, and the page asks again by itself.
  await expect
    .poll(async () => {
      const parts = (await (await server.ask('GET', `/api/haven/v1/projects/${name}/activity`)).json()) as { pushes: number }[]
      return parts.reduce((sum, part) => sum + part.pushes, 0)
    })
    .toBe(1)
  await page.reload()
  const pushes = page.getByRole('region', { name: t('home.pushes'), exact: true })
  await expect(pushes.getByRole('img', { name: t('home.pushes') })).toBeVisible()
  const reader = pushes.getByRole('slider')
  await reader.focus()
  await page.keyboard.press('End')
  await expect(reader).toHaveAttribute('aria-valuetext', new RegExp(`: ${t('home.pushes')} [1-9]`))
  await page.keyboard.press('Home')
  await expect(reader).toHaveAttribute('aria-valuetext', new RegExp(`: ${t('home.pushes')} 0$`))
  await pushes.getByText(t('chart.table')).click()
  await expect(pushes.getByRole('table').getByRole('row')).toHaveCount(7 * 24 + 1)
  await page.getByRole('link', { name: t('home.range.30d') }).click()
  await expect(page).toHaveURL(/range=30d/)
  await expect(pushes.getByRole('table').getByRole('row')).toHaveCount(31)
  await page.goBack()
  await expect(pushes.getByRole('table').getByRole('row')).toHaveCount(7 * 24 + 1)
  await page.getByRole('region', { name: t('home.storageByProject') }).getByRole('link', { name }).click()
  await expect(page).toHaveURL(new RegExp(`/projects/${name}$`))
  await page.goBack()
  await newest.getByRole('link', { name: new RegExp(`${name}/web/app`) }).click()
  await expect(page).toHaveURL(new RegExp(`/projects/${name}/repositories/web%2Fapp/artifacts/${encodeURIComponent(digest)}$`))
})

test.describe('narrow', () => {
  test.use({ viewport: { width: 390, height: 844 } })

  test('a user sees their projects and what was pushed there, and nothing of the system', async ({ page, server, own }) => {
    const [mine, other] = [own('mine'), own('other')]
    const who = await server.user(own('user'))
    for (const name of [mine, other]) await server.project(name)
    await server.ask('POST', `/api/v2.0/projects/${mine}/members`, { role_id: 2, member_user: { username: who.name } })
    await server.push(`${mine}/app`, '1')
    await server.push(`${other}/app`, '1')
    await enter(page, server, who)
    await page.goto('/')
    await page.locator('#main h1').first().waitFor()
    await expect(page.getByRole('region', { name: t('home.own') }).getByRole('link', { name: mine })).toBeVisible()
    await expect(page.getByRole('region', { name: t('home.newest') }).getByRole('link', { name: new RegExp(`${mine}/app`) })).toBeVisible()
    await expect(page.getByText(other)).toHaveCount(0)
    await expect(page.getByText(t('home.health'))).toHaveCount(0)
    await expect(page.getByText(t('home.failed'))).toHaveCount(0)
    expect(await violations(page)).toEqual([])
  })
})
