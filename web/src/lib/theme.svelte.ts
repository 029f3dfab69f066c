/** Light or dark: what somebody chose, or what the system prefers. */
export type Theme = 'system' | 'light' | 'dark'

const KEPT = 'haven.theme'

class Look {
  theme = $state<Theme>('system')
}

export const look = new Look()

export function loadTheme() {
  const kept = localStorage.getItem(KEPT)
  chooseTheme(kept === 'light' || kept === 'dark' ? kept : 'system')
}

export function chooseTheme(theme: Theme) {
  look.theme = theme
  if (theme === 'system') {
    localStorage.removeItem(KEPT)
    delete document.documentElement.dataset.theme
  } else {
    localStorage.setItem(KEPT, theme)
    document.documentElement.dataset.theme = theme
  }
}
