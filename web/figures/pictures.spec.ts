// The pictures of the README, in both languages, into docs/images. They are looked at before they
// are committed.

import type { Page } from '@playwright/test'
import { mkdirSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { enter, settled, test as base, expect } from '../journeys/journey'
import type { Server } from '../journeys/server'
import { words, type Text } from '../journeys/words'
import { found } from './company'

const INTO = resolve(import.meta.dirname, '../../docs/images')
const SIZE = { width: 1280, height: 800 }
/** What a picture may weigh, in bytes. */
const MOST = 100_000

const test = base.extend<object, { server: Server }>({
  server: [
    async ({}, use) => {
      const server = await found()
      await use(server)
      await server.stop()
    },
    { scope: 'worker', timeout: 600_000 },
  ],
})

interface Picture {
  name: string
  look: 'light' | 'dark'
  at: (server: Server) => Promise<string> | string
  /** What is done before the picture is taken. */
  prepare?: (page: Page, t: Text) => Promise<void>
}

const PICTURES: Picture[] = [
  { name: 'overview', look: 'light', at: () => '/?range=30d' },
  { name: 'artifact', look: 'light', at: artifact },
  { name: 'retention', look: 'light', at: dryRun },
  { name: 'garbage-collection', look: 'dark', at: () => '/garbage-collection' },
  { name: 'repository', look: 'dark', at: () => '/projects/storefront/repositories/web' },
  {
    name: 'search',
    look: 'light',
    at: () => '/projects/storefront',
    prepare: async (page) => {
      await page.keyboard.press('Control+k')
      await page.getByRole('combobox').fill('ma')
      await page.getByRole('option', { name: 'maria.rossi' }).first().waitFor()
    },
  },
]

async function artifact(server: Server): Promise<string> {
  const at = '/api/v2.0/projects/storefront/repositories/web/artifacts/release-4.0'
  const { digest } = (await (await server.ask('GET', at)).json()) as { digest: string }
  return `/projects/storefront/repositories/web/artifacts/${encodeURIComponent(digest)}`
}

/** The page of the newest run of the retention policy, which is a dry one. */
async function dryRun(server: Server): Promise<string> {
  const project = (await (await server.ask('GET', '/api/v2.0/projects/storefront')).json()) as { metadata: { retention_id: string } }
  const at = `/api/v2.0/retentions/${project.metadata.retention_id}/executions?page_size=1`
  const [run] = (await (await server.ask('GET', at)).json()) as { id: number }[]
  return `/projects/storefront/policies/retention/${run?.id}`
}

for (const [language, locale] of [['en', 'en-GB'], ['zh-CN', 'zh-CN']] as const) {
  test.describe(language, () => {
    test.use({ locale, viewport: SIZE, contextOptions: { reducedMotion: 'reduce' } })
    for (const { name, look, at, prepare } of PICTURES) {
      test(name, async ({ page, server }) => {
        await page.emulateMedia({ colorScheme: look })
        await enter(page, server)
        await page.goto(await at(server))
        await settled(page)
        await prepare?.(page, words(locale))
        await settled(page)
        const tab = await page.context().newCDPSession(page)
        const { data } = await tab.send('Page.captureScreenshot', { format: 'webp', quality: 82 })
        const picture = Buffer.from(data, 'base64')
        expect(picture.length).toBeLessThan(MOST)
        mkdirSync(resolve(INTO, language), { recursive: true })
        writeFileSync(resolve(INTO, language, `${name}.webp`), picture)
      })
    }
  })
}
