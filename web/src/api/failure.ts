/** Why the server did not do what it was asked, or could not be asked at all. */
export class Failure extends Error {
  constructor(
    /** The status of the answer; 0 when none came. */
    readonly status: number,
    /** The server's word for the kind of error. */
    readonly code: string,
    message: string,
    /** By which an administrator finds the request in the log. */
    readonly requestId: string | undefined,
    /** After how many seconds it may be tried again, if the server said so. */
    readonly retryAfter: number | undefined = undefined,
  ) {
    super(message)
    this.name = 'Failure'
  }

  /** Whether it says nothing of what was asked for: the way there or the server failed. */
  get mayPass() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500
  }

  /** Whether nobody answered, or only somebody who stands before the server. */
  get isUnheard() {
    return this.code === 'NETWORK' || this.code === 'TIMEOUT' || this.status === 502 || this.status === 504
  }

  static of(error: unknown): Failure {
    if (error instanceof Failure) return error
    if (error instanceof TypeError) return new Failure(0, 'NETWORK', '', undefined)
    const message = error instanceof Error ? error.message : String(error)
    return new Failure(0, 'UNEXPECTED', message, undefined)
  }

  /** What an answer complains about: Harbor's list of errors, or a text. */
  static read(response: Response, body: unknown): Failure {
    const errors = (body as { errors?: { code?: string; message?: string }[] } | undefined)?.errors
    const first = Array.isArray(errors) ? errors[0] : undefined
    const message = first?.message ?? (typeof body === 'string' ? body.slice(0, 300) : '')
    const after = Number(response.headers.get('Retry-After') ?? Number.NaN)
    return new Failure(
      response.status,
      first?.code ?? '',
      message,
      response.headers.get('X-Request-Id') ?? undefined,
      Number.isFinite(after) ? after : undefined,
    )
  }
}
