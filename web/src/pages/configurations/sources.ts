// What is asked of an administrator about each kind of source: the fields of its settings.

import type { Key } from '../../lib/i18n.svelte'

export type SourceType = 'ldap' | 'oidc' | 'http_auth' | 'issuer'

export interface SourceField {
  name: string
  label: Key
  kind: 'text' | 'flag' | 'number' | 'pem' | 'lines' | 'depth'
  first?: string | number | boolean | string[]
  placeholder?: string
  /** Whether it is hidden until more is asked for. */
  more?: boolean
}

const VERIFY: SourceField = { name: 'verify_certificate', label: 'source.verify_certificate', kind: 'flag', first: true }
const AUTHORITIES: SourceField = { name: 'certificate_authorities', label: 'source.certificate_authorities', kind: 'pem', more: true }

export const FIELDS: Record<SourceType, SourceField[]> = {
  ldap: [
    { name: 'url', label: 'source.url', kind: 'text', placeholder: 'ldaps://ldap.example.com:636' },
    { name: 'search_dn', label: 'source.search_dn', kind: 'text', placeholder: 'cn=reader,dc=example,dc=com' },
    { name: 'base_dn', label: 'source.base_dn', kind: 'text', placeholder: 'ou=people,dc=example,dc=com' },
    { name: 'uid', label: 'source.uid', kind: 'text', first: 'uid' },
    { name: 'filter', label: 'source.filter', kind: 'text', placeholder: '(objectClass=person)' },
    { name: 'scope', label: 'source.scope', kind: 'depth', first: 2, more: true },
    { name: 'start_tls', label: 'source.start_tls', kind: 'flag', first: false },
    VERIFY,
    { name: 'group_base_dn', label: 'source.group_base_dn', kind: 'text', more: true },
    { name: 'group_filter', label: 'source.group_filter', kind: 'text', more: true },
    { name: 'group_name_attribute', label: 'source.group_name_attribute', kind: 'text', first: 'cn', more: true },
    { name: 'group_scope', label: 'source.group_scope', kind: 'depth', first: 2, more: true },
    { name: 'group_admin_dn', label: 'source.group_admin_dn', kind: 'text', more: true },
    { name: 'membership_attribute', label: 'source.membership_attribute', kind: 'text', first: 'memberof', more: true },
    { name: 'member_attribute', label: 'source.member_attribute', kind: 'text', more: true },
    { name: 'nested_groups', label: 'source.nested_groups', kind: 'number', first: 0, more: true },
    { name: 'timeout', label: 'source.timeout', kind: 'number', first: 5, more: true },
    AUTHORITIES,
  ],
  oidc: [
    { name: 'endpoint', label: 'source.endpoint', kind: 'text', placeholder: 'https://id.example.com' },
    { name: 'client_id', label: 'source.client_id', kind: 'text' },
    { name: 'scope', label: 'source.oidc_scope', kind: 'text', first: 'openid,profile,email,offline_access' },
    { name: 'auto_onboard', label: 'source.auto_onboard', kind: 'flag', first: false },
    VERIFY,
    { name: 'user_claim', label: 'source.user_claim', kind: 'text', more: true },
    { name: 'groups_claim', label: 'source.groups_claim', kind: 'text', more: true },
    { name: 'group_filter', label: 'source.oidc_group_filter', kind: 'text', more: true },
    { name: 'admin_group', label: 'source.admin_group', kind: 'text', more: true },
    { name: 'logout', label: 'source.logout', kind: 'flag', first: false, more: true },
    AUTHORITIES,
  ],
  http_auth: [
    { name: 'endpoint', label: 'source.endpoint', kind: 'text', placeholder: 'https://auth.example.com/login' },
    { name: 'tokenreview_endpoint', label: 'source.tokenreview_endpoint', kind: 'text' },
    VERIFY,
    { name: 'admin_groups', label: 'source.admin_groups', kind: 'lines', more: true },
    { name: 'admin_usernames', label: 'source.admin_usernames', kind: 'lines', more: true },
    { name: 'skip_search', label: 'source.skip_search', kind: 'flag', first: false, more: true },
    { name: 'server_certificate', label: 'source.certificate_authorities', kind: 'pem', more: true },
  ],
  issuer: [{ name: 'url', label: 'source.endpoint', kind: 'text', placeholder: 'https://gitlab.example.com' }, VERIFY, AUTHORITIES],
}

/** The kinds that have a secret, and what it is. */
export const SECRETS: Partial<Record<SourceType, Key>> = { ldap: 'source.secret.ldap', oidc: 'source.secret.oidc' }
