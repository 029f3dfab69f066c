// Every page, in both languages, light and dark, wide and narrow: each pair of these somewhere.

import { enter, expect, test, violations } from './journey'
import { pushChart, pushIndex, sign } from './pushes'
import type { Server } from './server'

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

/** Gives a project rules, and gives the number of a dry run of them that has ended. */
async function dryRun(server: Server, project: string) {
  const { project_id: id } = (await (await server.ask('GET', `/api/v2.0/projects/${project}`)).json()) as { project_id: number }
  const rules = [{ template: 'latestPushedK', params: { latestPushedK: 1 } }, { template: 'signed', params: {}, disabled: true }].map((rule) => ({
    ...rule,
    action: 'retain',
    tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: '{1.*,v*}', extras: '{"untagged":true}' }],
    scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] },
  }))
  const scope = { level: 'project', ref: id }
  const made = await server.ask('POST', '/api/v2.0/retentions', { algorithm: 'or', rules, scope, trigger: { kind: 'Schedule', settings: { cron: '0 0 3 * * *' } } })
  const selector = { kind: 'doublestar', decoration: 'matches', pattern: 'release-*' }
  await server.ask('POST', `/api/v2.0/projects/${project}/immutabletagrules`, {
    action: 'immutable',
    template: 'immutable_template',
    tag_selectors: [selector],
    scope_selectors: { repository: [{ ...selector, decoration: 'repoMatches', pattern: '**' }] },
  })
  const begun = await server.ask('POST', `${made.headers.get('Location')}/executions`, { dry_run: true })
  const run = (begun.headers.get('Location') ?? '').replace('/api/v2.0/', '/api/haven/v1/')
  await expect.poll(async () => ((await (await server.ask('GET', run)).json()) as { run: { status: string } }).run.status).toBe('Success')
  return run.split('/').pop() ?? ''
}

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
      const run = await dryRun(server, project)
      await enter(page, server)
      refusals.push('404 /api/v2.0/systeminfo/getcert', '404 /api/haven/v1/retentions')
      for (const pattern of PAGES) {
        const at = pattern.replace('PROJECT', project).replace('DIGEST', encodeURIComponent(digest)).replace('INDEX', encodeURIComponent(index)).replace('CHART', encodeURIComponent(chart)).replace('RUN', run)
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
