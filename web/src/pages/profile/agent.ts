const BROWSERS: [RegExp, string][] = [
  [/\bEdg\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bFirefox\//, 'Firefox'],
  [/\b(?:Headless)?Chrome\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
]
const SYSTEMS: [RegExp, string][] = [
  [/Android/, 'Android'],
  [/iPhone|iPad/, 'iOS'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/Linux/, 'Linux'],
]

/** What a client's name for itself means to people: its program and its system. */
export function browser(agent: string): string {
  const name = BROWSERS.find(([pattern]) => pattern.test(agent))?.[1] ?? agent.split(/[\s/]/)[0] ?? ''
  const system = SYSTEMS.find(([pattern]) => pattern.test(agent))?.[1]
  return system ? `${name}, ${system}` : name
}
