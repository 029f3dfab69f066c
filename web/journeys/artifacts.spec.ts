// What artifacts are made of, and how they are found.

import { enter, expect, signIn, test, violations } from './journey'
import { pushChart, pushIndex, pushModel, pushRecipe, sign } from './pushes'

test('an image is found by its tag and by its digest, and its pull command taken', async ({ page, server, own, context }) => {
  const [name, developer, hidden] = [own('shop'), own('dev'), own('hidden')]
  await server.project(name)
  await server.project(hidden)
  await server.push(`${name}/web/app`, `1.0-${name}`)
  const digest = await server.push(`${name}/web/app`, `2.0-${name}`)
  await server.push(`${hidden}/web/app`, `2.0-${name}`)
  const who = await server.user(developer)
  await server.ask('POST', `/api/v2.0/projects/${name}/members`, { role_id: 2, member_user: { username: developer } })
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  const copied = () => page.evaluate(() => navigator.clipboard.readText())
  await signIn(page, who)

  // By its tag, wherever it is; what is not theirs to see is not found.
  const find = async (text: string) => {
    // Whoever presses the keys sees the page.
    await page.getByRole('button', { name: 'Search or jump to' }).waitFor()
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Search or jump to' }).fill(text)
  }
  await find(`2.0-${name}`)
  await expect(page.getByRole('option', { name: `${name}/web/app:2.0` })).toHaveCount(1)
  await expect(page.getByRole('option', { name: hidden })).toHaveCount(0)
  await page.getByRole('option', { name: `${name}/web/app:2.0` }).click()
  await expect(page.getByRole('heading', { name: `2.0-${name}` })).toBeVisible()
  await page.getByRole('button', { name: 'Copy docker' }).click()
  expect(await copied()).toBe(`docker pull ${server.host}/${name}/web/app:2.0-${name}`)
  await page.getByLabel('Pull by', { exact: true }).selectOption('Digest')
  await page.getByRole('button', { name: 'Copy podman' }).click()
  expect(await copied()).toBe(`podman pull ${server.host}/${name}/web/app@${digest}`)

  // By the beginning of its digest, with the keyboard alone.
  await page.goto('/projects')
  await find(digest.slice(7, 19))
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: `2.0-${name}` })).toBeVisible()
})

test('an index is opened down to its parts, and copied with all of them', async ({ page, server, own }) => {
  const [name, other] = [own('many'), own('copies')]
  await server.project(name)
  await server.project(other)
  const { index, parts } = await pushIndex(server, `${name}/web/app`, '1.0')
  await sign(server, `${name}/web/app`, index)
  await enter(page, server)
  await page.goto(`/projects/${name}/repositories/web%2Fapp`)
  const row = page.getByRole('row', { name: /1\.0/ })
  await expect(row).toContainText('Signed')
  let asked = 0
  page.on('request', (request) => (asked += Number(request.url().includes('/api/'))))
  await page.getByRole('button', { name: 'Show what belongs to 1.0' }).click()
  await expect(page.getByRole('listitem').filter({ hasText: 'linux/arm64' })).toBeVisible()
  await expect(page.getByText('Cosign signature')).toBeVisible()
  expect(asked).toBe(0)
  await page.getByRole('listitem').filter({ hasText: 'linux/amd64' }).getByRole('link').click()
  await expect(page.getByText(parts[0] ?? '', { exact: true })).toBeVisible()
  await expect(page.getByText('Signatures of the index that lists it')).toBeVisible()
  await page.getByRole('link', { name: 'Build history' }).click()
  await expect(page.getByText('ADD file:1 in /')).toBeVisible()
  await page.getByRole('link', { name: index.slice(0, 19) }).click()
  await expect(page.getByRole('heading', { name: '1.0' })).toBeVisible()

  await page.getByRole('button', { name: 'Copy to…' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByText('2 parts of indexes')).toBeVisible()
  await expect(dialog.getByText('1 signature or other accessory')).toBeVisible()
  await dialog.getByLabel('Project').fill(other)
  await dialog.getByLabel('Repository').fill('shop/app')
  await dialog.getByRole('button', { name: 'Copy', exact: true }).click()
  await expect(page.getByText(`1 artifact was copied to ${other}/shop/app`)).toBeVisible()
  await page.goto(`/projects/${other}/repositories/shop%2Fapp`)
  await expect(page.getByRole('row', { name: /1\.0/ })).toContainText('Signed')
  await page.goto(`/projects/${other}/repositories/shop%2Fapp?type=CHART`)
  await expect(page.getByText('Nothing matches.')).toBeVisible()
})

test('the values and the readme of a chart are read in the browser', async ({ page, server, own }) => {
  const name = own('charts')
  await server.project(name)
  const digest = await pushChart(server, `${name}/shop`, '1.2.3', {
    'values.yaml': '# How many\nreplicas: 3\n',
    'README.md': '# The shop\n\n<script>alert(1)</script>![logo](https://elsewhere.example/logo.png)\n\n| key | default |\n|---|---|\n| `replicas` | 3 |\n',
  })
  page.on('dialog', (dialog) => {
    throw new Error(`a script ran: ${dialog.message()}`)
  })
  await enter(page, server)
  await page.goto(`/projects/${name}/repositories/shop/artifacts/${digest}`)
  await expect(page.getByText(`helm pull oci://${server.host}/${name}/shop --version 1.2.3`)).toBeVisible()
  await page.getByRole('link', { name: 'Readme' }).click()
  await expect(page.getByRole('heading', { name: 'The shop' })).toBeVisible()
  await expect(page.getByRole('cell', { name: 'replicas' })).toBeVisible()
  await expect(page.getByRole('img')).toHaveCount(0)
  await page.getByRole('link', { name: 'Values' }).click()
  await expect(page).toHaveURL(/part=values\.yaml/)
  await expect(page.getByText('replicas', { exact: true })).toBeVisible()
  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Download' }).click()
  expect((await download).suggestedFilename()).toBe('values.yaml')
  await page.getByRole('link', { name: 'Dependencies' }).click()
  await expect(page.getByRole('cell', { name: 'redis' })).toBeVisible()
})

test('the documents and the files of a model are read in the browser', async ({ page, server, own, refusals }) => {
  const name = own('models')
  await server.project(name)
  const files = { 'weights/part-1.safetensors': 'x'.repeat(2048), 'weights/deep/part-2.safetensors': 'y', 'tokenizer.json': '{}' }
  const digest = await pushModel(server, `${name}/llm`, '1.0', {
    'README.md': '# The model\n\nIt answers <b onclick=alert(1)>everything</b>.',
    LICENSE: 'Licensed under <script>alert(1)</script>\nthe Apache License 2.0',
    ...files,
  })
  const bare = await pushModel(server, `${name}/llm`, 'bare', { 'README.md': '# No license' })
  await enter(page, server)
  await page.goto(`/projects/${name}/repositories/llm/artifacts/${digest}`)
  await expect(page.getByText('AI model')).toBeVisible()
  const tabs = page.getByRole('navigation', { name: 'Parts of the artifact' })
  await tabs.getByRole('link', { name: 'Readme' }).click()
  await expect(page.getByRole('heading', { name: 'The model' })).toBeVisible()
  await tabs.getByRole('link', { name: 'License' }).click()
  await expect(page).toHaveURL(/part=license/)
  await expect(page.getByText('the Apache License 2.0')).toContainText('<script>alert(1)</script>')
  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Download' }).click()
  // The browser adds what it takes for the ending of a text.
  expect((await download).suggestedFilename()).toMatch(/^LICENSE/)
  await tabs.getByRole('link', { name: 'Files' }).click()
  await expect(page.getByText('README.md')).toBeVisible()
  await expect(page.locator('li > p').filter({ hasText: 'part-1.safetensors' })).toContainText('2 KiB')
  await expect(page.getByText('part-2.safetensors')).toBeHidden()
  await page.getByText('deep', { exact: true }).click()
  await expect(page.getByText('part-2.safetensors')).toBeVisible()

  // What is not in it is said to be missing.
  refusals.push(`404 /api/v2.0/projects/${name}/repositories/llm/artifacts/${encodeURIComponent(bare)}/additions/license`, `404 /api/v2.0/projects/${name}/repositories/llm/artifacts/${bare}/additions/license`)
  await page.goto(`/projects/${name}/repositories/llm/artifacts/${bare}?part=license`)
  await expect(page.getByText('There is no License in this artifact')).toBeVisible()
})

test('what brings a picture is shown by it, which is asked for once', async ({ page, server, own }) => {
  const name = own('recipes')
  await server.project(name)
  const digest = await pushRecipe(server, `${name}/cake`, '1', true)
  await pushRecipe(server, `${name}/cake`, '2', true)
  await pushRecipe(server, `${name}/cake`, 'plain', false)
  await server.push(`${name}/cake`, 'image')
  const asked: string[] = []
  page.on('request', (request) => request.url().includes('/icons/') && asked.push(request.url()))
  await enter(page, server)
  await page.goto(`/projects/${name}/repositories/cake`)
  const picture = page.locator('#main img')
  await expect(picture).toHaveCount(2)
  await expect(page.getByRole('row', { name: /plain/ }).locator('img')).toHaveCount(0)
  // It is one, and not the sign of a broken one.
  expect(await picture.first().evaluate((one) => (one as HTMLImageElement).naturalWidth)).toBe(1)
  await page.getByRole('row', { name: /RECIPE/ }).filter({ hasText: digest.slice(0, 19) }).getByRole('link').first().click()
  await expect(page.getByRole('heading', { name: '1', exact: true })).toBeVisible()
  await expect(picture).toHaveCount(1)
  await page.goBack()
  await expect(picture).toHaveCount(2)
  expect(asked).toHaveLength(1)
})

test('tags of an artifact are found, ordered and deleted together; what is refused is named', async ({ page, server, own, refusals, t }) => {
  const name = own('tagged')
  await server.project(name)
  const digest = await server.push(`${name}/web`, 'release-1')
  for (const tag of ['release-2', 'nightly-1', 'nightly-2', 'nightly-3']) {
    await server.ask('POST', `/api/v2.0/projects/${name}/repositories/web/artifacts/${digest}/tags`, { name: tag })
  }
  await enter(page, server)
  await page.goto(`/projects/${name}/repositories/web/artifacts/${digest}`)
  const table = page.getByRole('region', { name: t('artifacts.tags') })
  await expect(table.getByRole('row')).toHaveCount(6)
  await page.getByPlaceholder(t('artifacts.search')).fill('nightly')
  await expect(table.getByRole('row')).toHaveCount(4)
  await table.getByRole('button', { name: t('tags.name'), exact: true }).click()
  await expect(page).toHaveURL(/tag=nightly/)
  await table.getByRole('checkbox', { name: t('table.markAll') }).check()
  // A rule is made meanwhile, for one of them.
  const selector = { kind: 'doublestar', decoration: 'matches', pattern: 'nightly-2' }
  await server.ask('POST', `/api/v2.0/projects/${name}/immutabletagrules`, {
    action: 'immutable',
    template: 'immutable_template',
    tag_selectors: [selector],
    scope_selectors: { repository: [{ ...selector, decoration: 'repoMatches', pattern: '**' }] },
  })
  refusals.push(`412 /api/v2.0/projects/${name}/repositories/web/artifacts/`)
  await page.getByRole('button', { name: t('action.delete'), exact: true }).last().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: t('action.delete') }).click()
  await expect(dialog.getByRole('alert')).toContainText(t('failure.some', { n: 1, all: 3 }))
  await expect(dialog.getByRole('alert').getByRole('listitem')).toContainText('nightly-2')
  await dialog.getByRole('button', { name: t('action.cancel') }).click()
  await expect(table.getByRole('row')).toHaveCount(2)
  await expect(table.getByText('nightly-2')).toBeVisible()
  expect(await violations(page)).toEqual([])
})
