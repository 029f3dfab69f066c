// What administrators do to keep a registry in order.

import { enter, expect, test } from './journey'

const GC_QUEUE = '/api/v2.0/jobservice/queues/GARBAGE_COLLECTION'

test('an administrator sets quotas, and what projects get from the start', async ({ page, server, own, refusals }) => {
  const [name, other] = [own('quota'), own('quota-b')]
  await server.project(name)
  await server.project(other)
  await server.push(`${name}/app`, '1.0', 'x'.repeat(5000))
  await enter(page, server)
  await page.goto('/quotas')
  await page.getByRole('searchbox').fill(name)
  await expect(page).toHaveURL(new RegExp(`project=${name}`))
  await page.getByRole('button', { name: `Set the limit of ${name}`, exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('No limit').uncheck()
  await dialog.getByLabel('Limit', { exact: true }).fill('nothing')
  await expect(dialog.getByText('A number of at least one byte')).toBeVisible()
  await expect(dialog.getByRole('button', { name: 'Save' })).toBeDisabled()
  await dialog.getByLabel('Limit', { exact: true }).fill('1')
  await dialog.getByLabel('Unit').selectOption('KiB')
  await expect(dialog.getByText('More than this is stored already')).toBeVisible()
  await dialog.getByLabel('Limit', { exact: true }).fill('1.5')
  await dialog.getByLabel('Unit').selectOption('GiB')
  await dialog.getByRole('button', { name: 'Save' }).click()
  const row = page.getByRole('row', { name: new RegExp(name) })
  await expect(row).toContainText('1.5 GiB')
  await expect(row.getByRole('meter')).toBeVisible()

  // Several at once, and no limit again.
  await page.goto(`/quotas?project=${own('').slice(1)}`)
  for (const one of [name, other]) await page.getByRole('checkbox', { name: `Select ${one}`, exact: true }).check()
  await page.getByRole('button', { name: 'Set limit', exact: true }).click()
  await dialog.getByLabel('No limit').check()
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(row).toContainText('no limit')
  await expect(page.getByRole('row', { name: new RegExp(other) })).toContainText('no limit')

  // A project that is made from now on.
  const section = page.getByRole('region', { name: 'Limit for new projects' })
  await section.getByRole('button', { name: 'Edit' }).click()
  await dialog.getByLabel('No limit').uncheck()
  await dialog.getByLabel('Limit', { exact: true }).fill('10')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(section).toContainText('10 GiB')
  await server.project(`${name}-new`)
  await server.ask('PUT', '/api/v2.0/configurations', { storage_per_project: -1 })
  await page.goto(`/quotas?project=${name}-new`)
  await expect(page.getByRole('row', { name: new RegExp(`${name}-new`) })).toContainText('10 GiB')
  await page.getByRole('link', { name: `${name}-new` }).click()
  await expect(page).toHaveURL(new RegExp(`/projects/${name}-new$`))

  // Whoever is no administrator is told so, and nothing is asked for.
  const who = await server.user(own('nobody'))
  // No page that still asks for something.
  await page.goto('about:blank')
  await page.context().clearCookies()
  await enter(page, server, who)
  refusals.length = 0
  for (const at of ['/quotas', '/garbage-collection', '/jobs', '/audit/purge']) {
    await page.goto(at)
    await expect(page.getByText('Only administrators of the system see this page.')).toBeVisible()
  }
})

test('an administrator collects garbage, reads its log as it grows, and pauses the queue', async ({ page, server, own }) => {
  await page.clock.install()
  const asked: string[] = []
  page.on('request', (request) => asked.push(new URL(request.url()).pathname))
  const name = own('garbage')
  await server.project(name)
  await server.push(`${name}/app`, '1.0')
  await server.ask('DELETE', `/api/v2.0/projects/${name}/repositories/app`)
  await enter(page, server)
  const dialog = page.getByRole('dialog')

  await page.goto('/jobs')
  await page.getByRole('button', { name: 'Pause Garbage collection' }).click()
  const queue = page.getByRole('row', { name: /Garbage collection/ })
  await expect(queue).toContainText('Paused')

  await page.goto('/garbage-collection')
  await page.getByRole('button', { name: 'Run garbage collection' }).first().click()
  await dialog.getByLabel('Workers').selectOption('2')
  await dialog.getByRole('button', { name: 'Dry run' }).click()
  const waiting = page.getByRole('row', { name: /Dry run/ }).first()
  await expect(waiting).toContainText(/Waiting|Running/)
  await waiting.getByRole('button', { name: /^Log of/ }).last().click()
  await expect(dialog.getByText('Nothing was written yet.')).toBeVisible()
  await expect(dialog.getByText('Live', { exact: true })).toBeVisible()
  await server.ask('PUT', GC_QUEUE, { action: 'resume' })
  await expect(dialog.getByText('success to run gc in job.')).toBeVisible()
  await expect(dialog.getByText('Done')).toBeVisible()
  await expect(dialog.getByText('Live', { exact: true })).toHaveCount(0)
  const [file] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('button', { name: 'Download the log' }).click()])
  expect(file.suggestedFilename()).toMatch(/^garbage-collection-\d+\.log$/)
  await page.keyboard.press('Escape')
  await expect(waiting).toContainText('would free')

  // What has ended is no longer asked for.
  const polled = () => asked.filter((path) => path === '/api/v2.0/system/gc').length
  const before = polled()
  await page.clock.fastForward(120_000)
  await page.getByRole('button', { name: 'Reload' }).click()
  await expect.poll(polled).toBe(before + 1)

  // For real; what has no need is within the window, so nothing is lost and nothing is freed.
  await page.getByRole('button', { name: 'Run garbage collection' }).first().click()
  await dialog.getByRole('button', { name: 'Run', exact: true }).click()
  await expect(page.getByRole('row', { name: /Done/ })).not.toHaveCount(0)
  await expect(page.getByRole('region', { name: 'Space freed over time' })).toContainText(/by \d+ run/)
})

test('what waits is stopped, schedules are set, seen and paused', async ({ page, server }) => {
  await enter(page, server)
  const dialog = page.getByRole('dialog')
  await server.ask('PUT', '/api/v2.0/jobservice/queues/PURGE_AUDIT_LOG', { action: 'pause' })
  await page.goto('/audit/purge?run=1')
  await dialog.getByLabel('Keep entries for').fill('0')
  await expect(dialog.getByText('A whole number, from 1 hour')).toBeVisible()
  await dialog.getByLabel('Keep entries for').fill('30')
  await dialog.getByLabel('Artifact: create').uncheck()
  await dialog.getByRole('button', { name: 'Purge', exact: true }).click()
  const purge = page.getByRole('row', { name: /30 days/ })
  await expect(purge).toContainText(/Waiting|Running/)

  await page.goto('/jobs')
  await page.getByRole('button', { name: 'Stop the waiting jobs of Purge of the audit log' }).click()
  await dialog.getByRole('button', { name: 'Stop waiting jobs' }).click()
  await expect(page.getByRole('button', { name: 'Stop the waiting jobs of Purge of the audit log' })).toHaveCount(0)
  await page.getByRole('button', { name: 'Resume Purge of the audit log' }).click()
  await page.goto('/audit/purge')
  await expect(purge).toContainText('Stopped')

  const schedule = page.getByRole('region', { name: 'Schedule' })
  await schedule.getByRole('button', { name: 'Edit' }).click()
  await dialog.getByLabel('When').selectOption('Every day')
  await expect(dialog.getByText('Every day at 00:00 UTC')).toBeVisible()
  await dialog.getByLabel('When').selectOption('By a cron pattern')
  await dialog.getByLabel('Cron pattern').fill('0 30 2 * * MON-FRI')
  await expect(dialog.getByText(/^Every Mon, Tue, Wed, Thu,? and Fri at 02:30 UTC$/)).toBeVisible()
  await expect(dialog.getByRole('listitem')).toHaveCount(3)
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(schedule).toContainText('at 02:30 UTC')

  await page.goto('/jobs/schedules')
  await expect(page.getByRole('row', { name: /Purge of the audit log/ })).toContainText('next:')
  await page.getByRole('button', { name: 'Pause all schedules' }).click()
  await dialog.getByRole('button', { name: 'Pause' }).click()
  await expect(page.getByText('All schedules are paused: nothing starts by itself.')).toBeVisible()
  await page.getByRole('button', { name: 'Resume all schedules' }).click()
  await dialog.getByRole('button', { name: 'Resume' }).click()
  await expect(page.getByText('Schedules run as planned.')).toBeVisible()

  await page.goto('/jobs/workers')
  await expect(page.getByRole('heading', { name: 'Replicas' })).toBeVisible()
  await expect(page.getByText(/of \d+ workers busy/)).toBeVisible()
})

test('a pattern that is none is refused in the words of the server', async ({ page, server, refusals }) => {
  await enter(page, server)
  await page.goto('/garbage-collection')
  const schedule = page.getByRole('region', { name: 'Schedule' })
  await schedule.getByRole('button', { name: 'Edit' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('When').selectOption('By a cron pattern')
  await dialog.getByLabel('Cron pattern').fill('0 0 0 31 2 *')
  refusals.push('400 /api/v2.0/system/gc/schedule')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(dialog.getByText('the cron string never fires')).toBeVisible()
  await dialog.getByLabel('Cron pattern').fill('0 0 0 L * *')
  await expect(dialog.getByText('cannot be told here')).toBeVisible()
  await dialog.getByLabel('When').selectOption('Every week')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(schedule).toContainText('Sunday at 00:00 UTC')
  await schedule.getByRole('button', { name: 'Edit' }).click()
  await dialog.getByLabel('When').selectOption('Only by hand')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(schedule).toContainText('Only by hand')
})

test('links of Harbor to its administration lead where they led', async ({ page, server }) => {
  await enter(page, server)
  for (const [from, to] of [
    ['/harbor/project-quotas', /\/quotas$/],
    ['/harbor/clearing-job/gc', /\/garbage-collection$/],
    ['/harbor/clearing-job/audit-log-purge', /\/audit\/purge$/],
    ['/harbor/job-service-dashboard/pending-jobs', /\/jobs$/],
    ['/harbor/job-service-dashboard/schedules', /\/jobs\/schedules$/],
    ['/harbor/job-service-dashboard/workers', /\/jobs\/workers$/],
  ] as const) {
    await page.goto(from)
    await expect(page).toHaveURL(to)
    await expect(page.locator('#main h1')).toBeVisible()
  }
})
