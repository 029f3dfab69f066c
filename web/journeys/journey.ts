// What every journey stands on: a server, a browser that complains about nothing, a person.

import { test as base, expect, type Page } from '@playwright/test'
import axe from 'axe-core'
import { ADMIN, Server } from './server'

interface Own {
  /** Answers of 400 and more that the journey brings about on purpose, as `401 /path`. */
  refusals: string[]
  /** Says that a name is this test's own, since servers serve several. */
  own: (name: string) => string
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
  own: ({}, use, info) => use((name) => `${name}-${info.testId.slice(-6).replace(/[^a-z0-9]/g, '0')}${info.repeatEachIndex}`),
  page: async ({ page, refusals, server }, use) => {
    const wrong: string[] = []
    page.on('pageerror', (error) => wrong.push(`error: ${error.message}`))
    page.on('console', (message) => {
      const isRefusal = message.text().startsWith('Failed to load resource')
      if (['error', 'warning'].includes(message.type()) && !isRefusal) wrong.push(`console: ${message.text()}`)
    })
    page.on('response', (answer) => {
      const said = `${answer.status()} ${new URL(answer.url()).pathname}`
      if (answer.status() >= 400 && !refusals.some((one) => said.startsWith(one))) wrong.push(`answer: ${said}`)
    })
    page.on('request', (asked) => {
      if (!asked.url().startsWith(server.url) && !/^(data|blob):/.test(asked.url())) wrong.push(`elsewhere: ${asked.url()}`)
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

/** What axe finds wrong on a page (WCAG 2.2 AA). */
export async function violations(page: Page) {
  await page.evaluate(axe.source)
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run: (what: Document, how: object) => Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }> } }
    return (await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })).violations
  })
  return found.map((one) => ({ id: one.id, nodes: one.nodes.map((node) => `${node.html.slice(0, 300)} ${node.failureSummary ?? ''}`).slice(0, 5) }))
}
