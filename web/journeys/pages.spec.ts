// Every page, in both languages, light and dark, wide and narrow: each pair of these somewhere.

import { enter, expect, test, violations } from './journey'
import { pushChart, pushIndex, sign } from './pushes'

const WAYS = [
  { locale: 'en-GB', colorScheme: 'light', width: 1440 },
  { locale: 'zh-CN', colorScheme: 'dark', width: 1440 },
  { locale: 'zh-CN', colorScheme: 'light', width: 390 },
  { locale: 'en-GB', colorScheme: 'dark', width: 390 },
] as const

const PAGES = [
  '/',
  '/projects',
  '/projects?name=nothing-has-this-name',
  '/projects?new=1',
  '/projects/PROJECT',
  '/projects/PROJECT/repositories',
  '/projects/PROJECT/members',
  '/projects/PROJECT/labels',
  '/projects/PROJECT/robots',
  '/projects/PROJECT/robots?new=1',
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
  '/users',
  '/users?new=1',
  '/users/1',
  '/groups',
  '/robots',
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
  '/api-explorer?operation=listProjects&q=listProjects',
  '/there-is-no-such-page',
]

for (const { locale, colorScheme, width } of WAYS) {
  test.describe(`${locale}, ${colorScheme}, ${width} wide`, () => {
    test.use({ locale, colorScheme, viewport: { width, height: 900 } })

    test('every page is whole and open to everybody', async ({ page, server, own, refusals }) => {
      test.setTimeout(120_000)
      const project = own('sweep')
      await server.project(project)
      const digest = await server.push(`${project}/web/app`, '1.0')
      const { index } = await pushIndex(server, `${project}/web/app`, 'many')
      await sign(server, `${project}/web/app`, index)
      const chart = await pushChart(server, `${project}/shop`, '1.2.3', { 'values.yaml': 'a: 1 # why\nb: "x"\nc: true\n', 'README.md': '# Shop\n\nSome `code`.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n' })
      await server.push(`${project}/${'deep/'.repeat(12)}name`, 'a'.repeat(128))
      await enter(page, server)
      refusals.push('404 /api/v2.0/systeminfo/getcert')
      for (const pattern of PAGES) {
        const at = pattern.replace('PROJECT', project).replace('DIGEST', encodeURIComponent(digest)).replace('INDEX', encodeURIComponent(index)).replace('CHART', encodeURIComponent(chart))
        await page.goto(at)
        await page.locator('#main h1').first().waitFor()
        await expect(page.locator('[aria-busy=true]'), at).toHaveCount(0)
        await expect(page.getByText(/^(Loading …|加载中…)$/), at).toHaveCount(0)
        await page.evaluate(() => document.fonts.ready)
        expect(await violations(page), at).toEqual([])
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
        expect(overflow, `${at} is wider than the screen`).toBeLessThanOrEqual(0)
        const text = await page.locator('body').innerText()
        expect(text, at).not.toMatch(/\b[a-z]+\.[a-z]+[A-Z]\w+\b|undefined|\[object|NaN|Invalid Date/)
      }
    })

    test('the pages before signing in', async ({ page, server }) => {
      for (const at of ['/sign-in', '/oidc-onboard?username=ann', '/projects']) {
        await page.goto(at)
        await page.locator('h1').first().waitFor()
        await expect(page.locator('[aria-busy=true]')).toHaveCount(0)
        expect(await violations(page), at).toEqual([])
      }
      expect((await page.request.get(`${server.url}/sign-in`, { headers: { Accept: 'text/html' } })).headers()['content-security-policy']).toContain("script-src 'self';")
    })
  })
}
