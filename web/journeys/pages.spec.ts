// Every page, in the full product of languages, looks and widths, with everything on it that may
// be hard to show, with nothing on it, and while the server fails.

import type { Page } from '@playwright/test'
import { enter, expect, settled, test as base, violations, WAYS } from './journey'
import { Server } from './server'
import { furnish, type World } from './world'

const LANGUAGES = ['en-GB', 'zh-CN'] as const
const WIDTHS = [1440, 390] as const
const LOOKS = ['light', 'dark'] as const

const PAGES = [
  '/',
  '/projects',
  '/projects?name=nothing-has-this-name',
  '/projects?page=2&sort=-creation_time',
  '/projects?new=1',
  '/projects?view=cards',
  '/projects/PROJECT',
  '/projects/PROJECT/repositories',
  '/projects/PROJECT/repositories?view=cards',
  '/projects/PROJECT/members',
  '/projects/PROJECT/members?new=1',
  '/projects/PROJECT/labels',
  '/projects/PROJECT/robots',
  '/projects/PROJECT/robots?new=1',
  '/projects/PROJECT/policies',
  '/projects/PROJECT/policies?new=1',
  '/projects/PROJECT/policies/retention/RUN',
  '/projects/PROJECT/policies/retention/RUN?outcome=delete&text=nothing-has-this-name',
  '/projects/PROJECT/policies/retention/RUN?view=repositories',
  '/projects/PROJECT/policies/retention/999999999',
  '/projects/PROJECT/policies/immutable',
  '/projects/PROJECT/policies/immutable?new=1',
  '/projects/PROJECT/logs',
  '/projects/PROJECT/settings',
  '/projects/PROJECT/repositories/web%2Fapp',
  '/projects/PROJECT/repositories/web%2Fapp?untagged=1',
  '/projects/PROJECT/repositories/web%2Fapp/artifacts/DIGEST',
  '/projects/PROJECT/repositories/web%2Fapp/artifacts/DIGEST?part=build_history',
  '/projects/PROJECT/repositories/web%2Fapp/artifacts/INDEX',
  '/projects/PROJECT/repositories/shop/artifacts/CHART',
  '/projects/PROJECT/repositories/shop/artifacts/CHART?part=readme.md',
  '/projects/PROJECT/repositories/shop/artifacts/CHART?part=values.yaml',
  '/projects/PROJECT/repositories/shop/artifacts/CHART?part=dependencies',
  '/projects/PROJECT/repositories/llm/artifacts/MODEL',
  '/projects/PROJECT/repositories/llm/artifacts/MODEL?part=license',
  '/projects/PROJECT/repositories/llm/artifacts/MODEL?part=files',
  '/projects/PROJECT/repositories/recipes',
  '/projects/PROJECT/repositories/DEEP',
  '/projects/EMPTY',
  '/projects/EMPTY/repositories',
  '/projects/EMPTY/labels',
  '/projects/EMPTY/robots',
  '/users',
  '/users?new=1',
  '/users/1',
  '/groups',
  '/groups?new=1',
  '/robots',
  '/robots?new=1',
  '/labels',
  '/roles',
  '/audit',
  '/audit/purge',
  '/audit/purge?run=1',
  '/quotas',
  '/quotas?project=nothing-has-this-name',
  '/garbage-collection',
  '/garbage-collection?run=1',
  '/jobs',
  '/jobs/schedules',
  '/jobs/workers',
  '/configuration',
  '/configuration/system',
  '/configuration/banner',
  '/configuration/allowlist',
  '/profile',
  '/profile/security',
  '/profile/tokens',
  '/profile/tokens?new=1',
  '/profile/sessions',
  '/about',
  '/about?license=1',
  '/api-explorer?operation=listProjects&q=listProjects',
  '/there-is-no-such-page',
]

/** What a newcomer, who has nothing, sees. */
const FOR_EVERYBODY = ['/', '/projects', '/profile', '/profile/tokens', '/profile/sessions', '/users', '/configuration']

/** Pages of a server on which nothing was done yet. */
const UNUSED = ['/', '/projects', '/projects/library', '/groups', '/robots', '/labels', '/roles', '/users', '/audit']

/** Pages that ask for nothing more than who somebody is. */
const SELF_CONTAINED = ['/about', '/there-is-no-such-page']

const test = base.extend<{ quiet: void }, { world: World }>({
  world: [async ({ server }, use) => use(await furnish(server)), { scope: 'worker', timeout: 180_000 }],
  // What moves has to stand still before its contrast is judged.
  contextOptions: { reducedMotion: 'reduce' },
  quiet: [
    async ({ refusals }, use) => {
      refusals.push('404 /api/v2.0/systeminfo/getcert', '404 /api/haven/v1/retentions')
      await use()
    },
    { auto: true },
  ],
})

function addresses(patterns: readonly string[], world: World): string[] {
  const deep = encodeURIComponent(`${'d/'.repeat(99)}d`)
  return patterns.map((pattern) =>
    pattern
      .replace('PROJECT', world.project)
      .replace('EMPTY', world.empty)
      .replace('DIGEST', encodeURIComponent(world.digest))
      .replace('INDEX', encodeURIComponent(world.index))
      .replace('DEEP', deep)
      .replace('CHART', encodeURIComponent(world.chart))
      .replace('MODEL', encodeURIComponent(world.model))
      .replace('RUN', world.run),
  )
}

/** Whether a page is whole, fits, and is open to everybody. */
async function judge(page: Page, at: string) {
  await page.goto(at)
  await settled(page, at)
  // Neither the page, nor its content, nor a table scrolls sideways.
  const overflow = await page.evaluate(() =>
    Math.max(...[document.documentElement, document.getElementById('main')].map((one) => (one ? one.scrollWidth - one.clientWidth : 0))),
  )
  expect(overflow, `${at} is wider than the screen`).toBeLessThanOrEqual(0)
  const tables = await page.evaluate(() => [...document.querySelectorAll('table')].map((one) => (one.parentElement ? one.parentElement.scrollWidth - one.parentElement.clientWidth : 0)))
  expect(Math.max(0, ...tables), `a table of ${at} is wider than its place`).toBeLessThanOrEqual(0)
  const text = await page.locator('body').innerText()
  expect(text, at).not.toMatch(/\b[a-z]+\.[a-z]+[A-Z]\w+\b|undefined|\[object|NaN|Invalid Date/)
  expect(await violations(page), at).toEqual([])
}

for (const locale of LANGUAGES) {
  for (const width of WIDTHS) {
    for (const colorScheme of LOOKS) {
      test.describe(`${locale}, ${width} wide, ${colorScheme}`, () => {
        test.use({ locale, colorScheme, viewport: { width, height: 900 } })

        // In two halves, so that no worker waits long for the other.
        for (const half of [0, 1]) {
          test(`every page is whole and open to everybody, half ${half + 1}`, async ({ page, server, world }) => {
            test.setTimeout(300_000)
            await enter(page, server)
            for (const at of addresses(PAGES, world).filter((_, i) => i % 2 === half)) await judge(page, at)
          })
        }

        test('the pages before signing in', async ({ page, server }) => {
          for (const at of ['/sign-in', '/sign-in?failed=provider', '/oidc-onboard?username=ann', '/projects']) await judge(page, at)
          expect((await page.request.get(`${server.url}/sign-in`, { headers: { Accept: 'text/html' } })).headers()['content-security-policy']).toContain("script-src 'self';")
        })
      })
    }
  }
}

for (const way of WAYS) {
  test.describe(`${way.locale}, ${way.viewport.width} wide, ${way.colorScheme}`, () => {
    test.use(way)

    test('a newcomer with nothing', async ({ page, server, world, refusals }) => {
      await enter(page, server, world.newcomer)
      refusals.push('403 /api/haven/v1/users')
      for (const at of FOR_EVERYBODY) await judge(page, at)
    })

    test('a server on which nothing was done yet', async ({ browser }) => {
      const server = await Server.start()
      const page = await browser.newPage({ baseURL: server.url, ...way, reducedMotion: 'reduce' })
      try {
        await enter(page, server)
        for (const at of UNUSED) await judge(page, at)
      } finally {
        await page.close()
        await server.stop()
      }
    })

    test('while the server fails', async ({ page, server, world, refusals, t }) => {
      test.setTimeout(300_000)
      await enter(page, server)
      refusals.push('500 /api/')
      await page.route(/\/api\//, async (route) => {
        const { pathname } = new URL(route.request().url())
        // Who uses the browser is known; all else fails.
        if (/systeminfo$|users\/current(\/permissions)?$/.test(pathname)) return route.fallback()
        const body = JSON.stringify({ errors: [{ code: 'UNKNOWN', message: 'the database is away' }] })
        return route.fulfill({ status: 500, contentType: 'application/json', headers: { 'X-Request-Id': 'a-request' }, body })
      })
      for (const at of addresses(PAGES, world)) {
        if (SELF_CONTAINED.includes(at) || at.includes('?')) continue
        await page.goto(at)
        const alert = page.getByRole('alert').first()
        await expect(alert, at).toContainText(t('failure.server'))
        await expect(alert, at).toContainText('a-request')
        await settled(page, at)
        expect(await violations(page), at).toEqual([])
      }
    })
  })
}

test('back and reload lead to the same page everywhere', async ({ page, server, world }) => {
  test.setTimeout(300_000)
  await enter(page, server)
  for (const at of addresses(PAGES, world)) {
    await page.goto(at)
    await settled(page, at)
    const [title, url] = [await page.title(), page.url()]
    // A dialog may cover the link, and a phone hides it.
    await page.evaluate(() => document.querySelector<HTMLAnchorElement>('a[href="/api-explorer"]')?.click())
    await expect(page).toHaveURL(/\/api-explorer$/)
    await page.goBack()
    await expect(page, at).toHaveURL(url)
    await expect(page, at).toHaveTitle(title)
    await settled(page, at)
    await page.reload()
    await settled(page, at)
    await expect(page, at).toHaveURL(url)
    await expect(page, at).toHaveTitle(title)
  }
})
