import { mount } from 'svelte'
import './app.css'
import App from './App.svelte'
import { Failure } from './api/failure'
import { watchConnection } from './lib/connection.svelte'
import { loadDates } from './lib/dates.svelte'
import { details, explain } from './lib/failures'
import { loadWords } from './lib/i18n.svelte'
import { watchPresence } from './lib/presence'
import { beforeArriving, watchLinks } from './lib/router.svelte'
import { watchSession } from './lib/session.svelte'
import { loadTheme } from './lib/theme.svelte'
import { complain } from './lib/toasts.svelte'
import { preparePage } from './pages/routes'

loadTheme()
loadDates()
beforeArriving(preparePage)
watchLinks()
watchConnection()
watchPresence()
watchSession()
await loadWords()

const target = document.getElementById('portal')
if (target) mount(App, { target })

// No failure goes by in silence.
window.addEventListener('unhandledrejection', ({ reason }) => {
  if (reason instanceof DOMException && reason.name === 'AbortError') return
  const failure = Failure.of(reason)
  complain(explain(failure), details(failure))
})
