// A tab that is open all day.

import type { CDPSession } from '@playwright/test'
import { enter, expect, settled, test } from './journey'

/** What a tab holds after what nobody needs any more is gone. */
async function held(tab: CDPSession) {
  // What is weakly held goes with the second.
  for (let i = 0; i < 2; i += 1) await tab.send('HeapProfiler.collectGarbage')
  const { metrics } = await tab.send('Performance.getMetrics')
  const value = (name: string) => metrics.find((one) => one.name === name)?.value ?? 0
  return { heap: value('JSHeapUsedSize'), nodes: value('Nodes'), listeners: value('JSEventListeners') }
}

test('going through pages of lists leaves nothing behind', async ({ page, server, own, t }) => {
  const name = own('pages')
  await server.project(name)
  for (let n = 0; n < 46; n += 1) await server.push(`${name}/app`, `1.${n}`, `${n % 5}`)
  await enter(page, server)
  const tab = await page.context().newCDPSession(page)
  await tab.send('Performance.enable')
  await page.goto(`/projects/${name}/repositories/app?page_size=15`)
  await settled(page)
  const turn = async () => {
    // Forward through the list, a look at one, and back.
    await page.getByRole('button', { name: t('table.next') }).click()
    await expect(page).toHaveURL(/page=2/)
    await settled(page)
    await page.getByRole('row').nth(1).getByRole('link').first().click()
    await expect(page).toHaveURL(/artifacts\/sha256/)
    await settled(page)
    await page.goBack()
    await settled(page)
    await page.getByRole('button', { name: t('table.previous') }).click()
    await expect(page).not.toHaveURL(/page=2/)
    await settled(page)
  }
  for (let i = 0; i < 6; i += 1) await turn()
  const before = await held(tab)
  for (let i = 0; i < 24; i += 1) await turn()
  const after = await held(tab)
  expect(after.nodes, JSON.stringify({ before, after })).toBeLessThan(before.nodes * 1.2)
  expect(after.listeners, JSON.stringify({ before, after })).toBeLessThan(before.listeners * 1.2)
  expect(after.heap, JSON.stringify({ before, after })).toBeLessThan(before.heap * 1.15)
})
