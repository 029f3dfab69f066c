import { defineConfig } from '@playwright/test'
import journeys from '../playwright.config'

// One thing at a time: what is measured is not to wait for anything else.
export default defineConfig(journeys, {
  testDir: '.',
  outputDir: '../test-results',
  fullyParallel: false,
  workers: 1,
  timeout: 900_000,
})
