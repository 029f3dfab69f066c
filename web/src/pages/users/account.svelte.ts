import type { UserCreationReq } from '../../api/client'
import { t } from '../../lib/i18n.svelte'
import { isStrong } from '../sign_in/password'

/** An account as it is entered, and what is wrong with it. */
export class Account {
  username = $state('')
  email = $state('')
  realname = $state('')
  comment = $state('')
  password = $state('')
  again = $state('')
  /** Whether it was to be sent once: nobody is told off while typing. */
  #tried = $state(false)

  get wrong() {
    if (!this.#tried) return {}
    return {
      username: /^[^,"'~#%$:]{1,255}$/.test(this.username.trim()) ? undefined : t('account.wrongName'),
      email: /^\S+@\S+$/.test(this.email.trim()) ? undefined : t('account.wrongEmail'),
      realname: this.realname.trim() ? undefined : t('account.wrongRealname'),
      password: isStrong(this.password) ? undefined : t('password.rule'),
      again: this.again === this.password ? undefined : t('password.differs'),
    }
  }

  /** Whether it can be sent. */
  check() {
    this.#tried = true
    return Object.values(this.wrong).every((wrong) => wrong === undefined)
  }

  request(): UserCreationReq {
    const { password, comment } = this
    return {
      username: this.username.trim(),
      email: this.email.trim(),
      realname: this.realname.trim(),
      comment,
      password,
    }
  }
}
