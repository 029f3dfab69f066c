import { api, ask, BY_NAME, type MemberCandidate, type Project } from '../../api/client'

export type Kind = 'user' | 'group'

/** Who may become a member, by what was typed of the name: here first, then in directories. */
export function candidates(project: Project, kind: Kind, text: string, signal?: AbortSignal) {
  return ask(
    api.GET('/api/haven/v1/projects/{project_name_or_id}/candidates', {
      params: {
        path: { project_name_or_id: project.name },
        header: BY_NAME,
        query: { text: text || undefined, groups: kind === 'group' || undefined },
      },
      ...(signal ? { signal } : {}),
    }),
  )
}

/** Says to the server who is meant: whoever was chosen, or has exactly the name that was typed. */
export async function meant(project: Project, kind: Kind, name: string, chosen: MemberCandidate | undefined) {
  if (kind === 'user') return { member_user: chosen?.id ? { user_id: chosen.id } : { username: name } }
  const isIt = (one: MemberCandidate) => one.name === name || one.ldap_group_dn?.toLowerCase() === name.toLowerCase()
  const group = chosen ?? (await candidates(project, kind, name)).candidates.find(isIt)
  const { id, group_type, ldap_group_dn } = group ?? {}
  if (id) return { member_group: { id } }
  if (ldap_group_dn) return { member_group: { ldap_group_dn, group_type: 1 } }
  return { member_group: { group_name: name, ...(group_type ? { group_type } : {}) } }
}
