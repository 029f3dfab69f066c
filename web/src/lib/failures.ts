import type { Failure } from '../api/failure'
import { SomeFailed } from './each'
import { t } from './i18n.svelte'

/** What happened, in the reader's language. */
export function explain(failure: Failure): string {
  if (failure instanceof SomeFailed) return t('failure.some', { n: failure.failed.length, all: failure.all })
  switch (failure.status) {
    case 0:
      if (failure.code === 'TIMEOUT') return t('failure.timeout')
      return failure.code === 'NETWORK' ? t('failure.network') : t('failure.unexpected')
    case 401:
      return t('failure.unauthenticated')
    case 403:
      return t('failure.forbidden')
    case 404:
      return t('failure.notFound')
    case 409:
      return t('failure.conflict')
    case 412:
      return t('failure.precondition')
    case 429:
      return failure.retryAfter ? t('failure.tooManyIn', { n: failure.retryAfter }) : t('failure.tooMany')
    case 502:
    case 504:
      return t('failure.network')
    case 503:
      return t('failure.unavailable')
    default:
      return failure.status >= 500 ? t('failure.server') : t('failure.refused')
  }
}

/** What the server said of it, and the request by which an administrator finds more. */
export function details(failure: Failure): string {
  const id = failure.requestId ? t('failure.request', { id: failure.requestId }) : ''
  return [failure.message, id].filter(Boolean).join(' · ')
}
