import { svelte } from '@sveltejs/vite-plugin-svelte'
import tailwindcss from '@tailwindcss/vite'
import { defineConfig } from 'vitest/config'

// The server that a portal under development talks to.
const server = process.env.HAVEN_URL ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [tailwindcss(), svelte()],
  build: {
    outDir: 'dist/site',
    emptyOutDir: true,
    manifest: true,
    target: 'es2023',
    // A document that holds no script and no style of its own passes the strictest policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 400,
  },
  server: {
    // The license stands beside the portal.
    fs: { allow: ['..'] },
    proxy: Object.fromEntries(
      ['/api/', '/c/', '/v2/', '/service/', '/swagger.json'].map((path) => [
        path,
        { target: server, changeOrigin: false },
      ]),
    ),
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node', testTimeout: 60_000 },
})
