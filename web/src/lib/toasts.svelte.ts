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

function add(toast: Omit<Toast, 'id'>): number {
  const id = next++
  // The same again takes the place of what was said before.
  const others = toasts.all.filter((one) => one.kind !== toast.kind || one.text !== toast.text)
  toasts.all = [...others.slice(-3), { ...toast, id }]
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
