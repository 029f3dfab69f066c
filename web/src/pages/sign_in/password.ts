/** Whether a password is as the server wants one: 8 to 128 characters, of three kinds. */
export function isStrong(password: string): boolean {
  return (
    password.length >= 8 &&
    password.length <= 128 &&
    /[A-Z]/.test(password) &&
    /[a-z]/.test(password) &&
    /[0-9]/.test(password)
  )
}
