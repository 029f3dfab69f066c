import { Failure } from '../api/failure'
import { details, explain } from './failures'
import { complain } from './toasts.svelte'

/** Something that is being done: whether it runs, and why it failed. */
export class Deed {
  running = $state(false)
  failure = $state.raw<Failure>()

  /** Does it unless it runs already; says whether it succeeded. */
  async run(what: () => Promise<void>): Promise<boolean> {
    if (this.running) return false
    this.running = true
    this.failure = undefined
    try {
      await what()
      return true
    } catch (error) {
      this.failure = Failure.of(error)
      return false
    } finally {
      this.running = false
    }
  }

  /** The same where no form shows the failure. */
  async runAloud(what: () => Promise<void>): Promise<boolean> {
    const done = await this.run(what)
    if (this.failure) complain(explain(this.failure), details(this.failure))
    return done
  }
}
