import { mount } from 'svelte'
import './app.css'
import App from './App.svelte'
import { loadWords } from './lib/i18n.svelte'
import { watchLinks } from './lib/router.svelte'
import { loadTheme } from './lib/theme.svelte'

loadTheme()
watchLinks()
await loadWords()

const target = document.getElementById('portal')
if (target) mount(App, { target })

// What was deployed meanwhile has other files: a page that cannot be loaded is loaded anew.
window.addEventListener('vite:preloadError', () => window.location.reload())
