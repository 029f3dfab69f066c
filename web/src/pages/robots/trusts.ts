// Whose tokens stand for a robot: what is asked for, and examples of issuers.

import { t, type Key } from '../../lib/i18n.svelte'
import { readPattern } from '../../lib/doublestar'

/** How many trusts a robot has, and how many claims a trust names, at most. */
export const MOST_TRUSTS = 32
export const MOST_CLAIMS = 32
const LONGEST = 512

export interface Claim {
  name: string
  pattern: string
}

export interface Draft {
  issuer: string
  audience: string
  claims: Claim[]
}

export interface Example {
  id: string
  /** A product's name, which is the same in every language. */
  name: string
  text: Key
  issuer: string
  claims: Claim[]
}

export const EXAMPLES: Example[] = [
  {
    id: 'github',
    name: 'GitHub Actions',
    text: 'trusts.github',
    issuer: 'https://token.actions.githubusercontent.com',
    claims: [
      { name: 'repository', pattern: 'my-org/my-app' },
      { name: 'ref', pattern: 'refs/heads/main' },
    ],
  },
  {
    id: 'gitlab',
    name: 'GitLab CI',
    text: 'trusts.gitlab',
    issuer: 'https://gitlab.com',
    claims: [
      { name: 'project_path', pattern: 'my-group/my-app' },
      { name: 'ref', pattern: 'main' },
    ],
  },
  {
    id: 'kubernetes',
    name: 'Kubernetes',
    text: 'trusts.kubernetes',
    issuer: 'https://kubernetes.default.svc.cluster.local',
    claims: [{ name: 'sub', pattern: 'system:serviceaccount:my-namespace:my-account' }],
  },
]

/** What a job writes to get a token and log in with it. */
export function jobLines(example: string, host: string, audience: string, robot: string): string {
  const login = (token: string) => `${token} | docker login ${host} --username '${robot}' --password-stdin`
  switch (example) {
    case 'github':
      return [
        'permissions: { id-token: write }',
        'steps:',
        '  - run: |',
        '      token=$(curl -s -H "Authorization: Bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \\',
        `        "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=${encodeURIComponent(audience)}" | jq -r .value)`,
        `      ${login('echo "$token"')}`,
      ].join('\n')
    case 'gitlab':
      return ['push:', '  id_tokens:', '    REGISTRY_TOKEN:', `      aud: ${JSON.stringify(audience)}`, '  script:', `    - ${login('echo "$REGISTRY_TOKEN"')}`].join('\n')
    default:
      return [
        'volumes:',
        '  - name: registry-token',
        '    projected:',
        '      sources:',
        '        - serviceAccountToken:',
        `            audience: ${JSON.stringify(audience)}`,
        '            expirationSeconds: 600',
        '            path: token',
      ].join('\n')
  }
}

const isText = (text: string) => text !== '' && new TextEncoder().encode(text).length <= LONGEST && !/\p{Cc}/u.test(text)

/** Why an issuer is none, as the server judges it. */
export function wrongIssuer(issuer: string): string | undefined {
  const host = issuer.trim().replace(/^https:\/\//, '')
  const isIssuer = issuer.trim().startsWith('https://') && isText(issuer.trim()) && host !== '' && !host.startsWith('/') && !/[?#@\\ ]/.test(host)
  return isIssuer ? undefined : t('trusts.wrongIssuer')
}

/** Why a claim is none among those of a trust. */
export function wrongClaim({ name, pattern }: Claim, claims: Claim[]): string | undefined {
  if (!isText(name.trim()) || !isText(pattern.trim())) return t('trusts.wrongClaim')
  if (claims.filter((claim) => claim.name.trim() === name.trim()).length > 1) return t('trusts.claimTwice')
  const read = readPattern(pattern.trim())
  return 'wrong' in read ? t(read.wrong) : undefined
}

/** Whether a trust can be sent. */
export function isWhole({ issuer, audience, claims }: Draft): boolean {
  return !wrongIssuer(issuer) && isText(audience.trim()) && claims.length > 0 && !claims.some((claim) => wrongClaim(claim, claims))
}
