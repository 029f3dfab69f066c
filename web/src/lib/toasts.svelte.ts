/** Short news that go by themselves; what failed stays until it is put away. */
export interface Toast {
  id: number
  kind: 'good' | 'bad'
  text: string
  detail?: string | undefined
}

class Toasts {
  all = $state.raw<Toast[]>([])
}

export const toasts = new Toasts()
let next = 1

function add(toast: Omit<Toast, 'id'>, patience: number) {
  const id = next++
  toasts.all = [...toasts.all.slice(-3), { ...toast, id }]
  setTimeout(() => dismiss(id), patience)
}

export function dismiss(id: number) {
  toasts.all = toasts.all.filter((toast) => toast.id !== id)
}

export function say(text: string) {
  add({ kind: 'good', text }, 5000)
}

export function complain(text: string, detail?: string) {
  add({ kind: 'bad', text, detail }, 15_000)
}
