import { named, t } from '../../lib/i18n.svelte'

/** The name of an event as the server writes it, such as `create_artifact`. */
export function eventName(event: string): string {
  const at = event.indexOf('_')
  return at < 0 ? named('operation', event) : t('audit.event', { type: named('auditType', event.slice(at + 1)), operation: named('operation', event.slice(0, at)) })
}
