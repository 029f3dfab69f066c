import { now } from './clock'

/** Short news that go by themselves; what failed stays until it is put away. */
export interface Toast {
  id: number
  kind: 'good' | 'bad'
  text: string
  detail?: string | undefined
}

/** What was told, and when. */
export interface Told extends Omit<Toast, 'id'> {
  id: number
  at: string
}

/** So much of what was told is remembered. */
const REMEMBERED = 50

class Toasts {
  all = $state.raw<Toast[]>([])
  /** What was told since the page was opened, the newest first. */
  told = $state.raw<Told[]>([])
}

export const toasts = new Toasts()
let next = 1

function add(toast: Omit<Toast, 'id'>): number {
  const id = next++
  // The same again takes the place of what was said before.
  const others = toasts.all.filter((one) => one.kind !== toast.kind || one.text !== toast.text)
  toasts.all = [...others.slice(-3), { ...toast, id }]
  toasts.told = [{ ...toast, id, at: new Date(now()).toISOString() }, ...toasts.told.slice(0, REMEMBERED - 1)]
  return id
}

export function dismiss(id: number) {
  toasts.all = toasts.all.filter((toast) => toast.id !== id)
}

export function say(text: string) {
  const id = add({ kind: 'good', text })
  setTimeout(() => dismiss(id), 5000)
}

export function complain(text: string, detail?: string) {
  add({ kind: 'bad', text, detail })
}
