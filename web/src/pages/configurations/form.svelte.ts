import { api, ask, type Configurations, type ConfigurationsResponse } from '../../api/client'
import { Deed } from '../../lib/action.svelte'
import { t } from '../../lib/i18n.svelte'
import { forget } from '../../lib/query.svelte'
import { reloadInfo } from '../../lib/session.svelte'
import { say } from '../../lib/toasts.svelte'

type Name = keyof ConfigurationsResponse & keyof Configurations

/** Settings as they are edited: only what was changed is sent. */
export class SettingsForm {
  readonly doing = new Deed()
  #kept: ConfigurationsResponse
  #changed = $state<Configurations>({})

  constructor(settings: ConfigurationsResponse) {
    this.#kept = settings
  }

  #item(name: Name): { value?: unknown; editable?: boolean } | undefined {
    return this.#kept[name] as { value?: unknown; editable?: boolean } | undefined
  }

  /** Whether it may be changed: what came with the server's environment may not. */
  isFixed(name: Name): boolean {
    return this.#item(name)?.editable === false
  }

  text(name: Name): string {
    return String(this.#changed[name] ?? this.#item(name)?.value ?? '')
  }

  flag(name: Name): boolean {
    return Boolean(this.#changed[name] ?? this.#item(name)?.value ?? false)
  }

  set(name: Name, value: string | number | boolean) {
    const next: Record<string, unknown> = { ...this.#changed, [name]: value }
    if (value === this.#item(name)?.value) delete next[name]
    this.#changed = next as Configurations
  }

  get isChanged() {
    return Object.keys(this.#changed).length > 0
  }

  save() {
    return this.doing.run(async () => {
      await ask(api.PUT('/api/v2.0/configurations', { body: this.#changed }))
      // What was kept is what was sent, until it is read anew.
      for (const [name, value] of Object.entries(this.#changed)) {
        const kept = this.#kept as Record<string, object | undefined>
        this.#kept = { ...kept, [name]: { ...kept[name], value } } as ConfigurationsResponse
      }
      this.#changed = {}
      say(t('settings.saved'))
      await Promise.all([forget('configurations'), reloadInfo()])
    })
  }
}
