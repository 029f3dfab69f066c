// How clients get an artifact, and how something gets here: one line each, for this server.

import type { Artifact } from '../../api/client'

export interface ClientCommand {
  client: string
  text: string
}

type Pulled = Pick<Artifact, 'type' | 'repository_name' | 'digest'>

/** A word as a shell takes it. */
function word(text: string): string {
  return /^[\w.:/@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/**
 * The lines for an artifact, the likeliest client first. `tag` is the tag to pull by; without
 * one the digest is. `user` is who containerd, which keeps no logins, is told to be.
 */
export function pullCommands(host: string, artifact: Pulled, tag: string | undefined, user?: string): ClientCommand[] {
  const at = `${host}/${artifact.repository_name}`
  const name = tag === undefined ? `${at}@${artifact.digest}` : `${at}:${tag}`
  const kind = artifact.type.toUpperCase()
  const last = at.slice(at.lastIndexOf('/') + 1)
  const oras = { client: 'oras', text: `oras pull ${name}` }
  const cosign = { client: 'cosign', text: `cosign verify --key cosign.pub ${name}` }
  if (kind === 'CHART') {
    const chart = tag === undefined ? `oci://${at}@${artifact.digest}` : `oci://${at} --version ${tag.replaceAll('_', '+')}`
    return [
      { client: 'helm', text: `helm pull ${chart}` },
      { client: 'helm install', text: `helm install ${last} ${chart}` },
      oras,
      cosign,
    ]
  }
  if (kind !== 'IMAGE' && kind !== 'UNKNOWN') return [oras, cosign]
  const images = [
    { client: 'docker', text: `docker pull ${name}` },
    { client: 'podman', text: `podman pull ${name}` },
    { client: 'nerdctl', text: `nerdctl pull ${name}` },
    { client: 'ctr', text: `ctr images pull ${user === undefined ? '' : `--user ${word(user)} `}${name}` },
  ]
  if (kind === 'UNKNOWN') return [oras, ...images, cosign]
  return [...images, { client: 'oras', text: `oras copy ${name} --to-oci-layout ${last}:${tag ?? 'latest'}` }, cosign]
}

/** The lines by which something comes into a project. */
export function pushCommands(host: string, project: string): { client: string; lines: string[] }[] {
  const at = `${host}/${project}`
  return [
    { client: 'docker', lines: [`docker tag SOURCE[:TAG] ${at}/REPOSITORY[:TAG]`, `docker push ${at}/REPOSITORY[:TAG]`] },
    { client: 'podman', lines: [`podman push SOURCE[:TAG] ${at}/REPOSITORY[:TAG]`] },
    { client: 'helm', lines: ['helm package CHART', `helm push CHART-VERSION.tgz oci://${at}`] },
    { client: 'oras', lines: [`oras push ${at}/REPOSITORY[:TAG] FILE`] },
  ]
}

/** What people call an artifact: its tags, or the beginning of its digest. */
export function nameOf({ tags, digest }: Pick<Artifact, 'tags' | 'digest'>): string {
  return tags.map((tag) => tag.name).join(', ') || short(digest)
}

/** The beginning of a digest, as people read it. */
export function short(digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':')
  return `${algorithm}:${hex.slice(0, 12)}`
}
