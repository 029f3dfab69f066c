// What every journey stands on: a server, a browser that complains about nothing, a person.

import { test as base, expect, type Page } from '@playwright/test'
import axe from 'axe-core'
import { ADMIN, Server } from './server'
import { words, type Text } from './words'

/** Languages, looks and widths: any two of these are somewhere together. */
export const WAYS = [
  { locale: 'en-GB', colorScheme: 'light', viewport: { width: 1440, height: 900 } },
  { locale: 'zh-CN', colorScheme: 'dark', viewport: { width: 1440, height: 900 } },
  { locale: 'zh-CN', colorScheme: 'light', viewport: { width: 390, height: 844 } },
  { locale: 'en-GB', colorScheme: 'dark', viewport: { width: 390, height: 844 } },
] as const

interface Own {
  /** Answers of 400 and more that the journey brings about on purpose, as `401 /path`. */
  refusals: string[]
  /** Other servers that the journey goes to, by the beginning of their addresses. */
  elsewhere: string[]
  /** Says that a name is this test's own, since servers serve several. */
  own: (name: string) => string
  /** A text of the portal in the language of the journey. */
  t: Text
}

export const test = base.extend<Own, { server: Server }>({
  server: [
    async ({}, use) => {
      const server = await Server.start()
      await use(server)
      await server.stop()
    },
    { scope: 'worker' },
  ],
  baseURL: ({ server }, use) => use(server.url),
  refusals: ({}, use) => use([]),
  elsewhere: ({}, use) => use([]),
  own: ({}, use, info) => use((name) => `${name}-${info.testId.slice(-6).replace(/[^a-z0-9]/g, '0')}${info.repeatEachIndex}`),
  t: ({ locale }, use) => use(words(locale ?? 'en')),
  page: async ({ page, refusals, elsewhere, server }, use) => {
    const wrong: string[] = []
    page.on('pageerror', (error) => wrong.push(`error: ${error.message}`))
    page.on('dialog', (dialog) => {
      wrong.push(`a script ran: ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on('console', (message) => {
      const isRefusal = message.text().startsWith('Failed to load resource')
      if (['error', 'warning'].includes(message.type()) && !isRefusal) wrong.push(`console: ${message.text()}`)
    })
    page.on('response', (answer) => {
      const said = `${answer.status()} ${new URL(answer.url()).pathname}`
      if (answer.status() >= 400 && !refusals.some((one) => said.startsWith(one))) wrong.push(`answer: ${said}`)
    })
    page.on('request', (asked) => {
      const known = [server.url, ...elsewhere].some((one) => asked.url().startsWith(one))
      if (!known && !/^(data|blob):/.test(asked.url())) wrong.push(`elsewhere: ${asked.url()}`)
    })
    await use(page)
    expect(wrong).toEqual([])
  },
})
export { expect }

export async function signIn(page: Page, who = ADMIN, at = '/sign-in') {
  await page.goto(at)
  await page.locator('input[autocomplete=username]').fill(who.name)
  await page.locator('input[type=password]').fill(who.password)
  await page.locator('input[type=password]').press('Enter')
  await page.locator('#main h1').waitFor()
}

/** Signs in without a form: for journeys that are about something else. */
export async function enter(page: Page, server: Server, who = ADMIN) {
  const first = await page.request.get(`${server.url}/api/v2.0/systeminfo`, { headers: { 'X-Harbor-CSRF-Token': '' } })
  const token = first.headers()['x-harbor-csrf-token'] ?? ''
  const answer = await page.request.post(`${server.url}/c/login`, {
    form: { principal: who.name, password: who.password },
    headers: { 'X-Harbor-CSRF-Token': token },
  })
  expect(answer.status()).toBe(200)
}

/** Waits until a page shows what it has to show. */
export async function settled(page: Page, what = page.url()) {
  await page.locator('h1').first().waitFor()
  await expect(page.locator('[aria-busy=true]'), what).toHaveCount(0)
  await expect(page.getByText(/^(Loading…|加载中…)$/), what).toHaveCount(0)
  await page.evaluate(() => document.fonts.ready)
}

/** What axe finds wrong on a page (WCAG 2.2 AA). */
export async function violations(page: Page) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source)
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run: (what: Document, how: object) => Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }> } }
    const how = { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], resultTypes: ['violations'] }
    return (await axe.run(document, how)).violations
  })
  return found.map((one) => ({ id: one.id, nodes: one.nodes.map((node) => `${node.html.slice(0, 300)} ${node.failureSummary ?? ''}`).slice(0, 5) }))
}
