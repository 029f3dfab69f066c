// How clients get an artifact: one line each, for this server.

import type { Artifact } from '../../api/client'

export interface PullCommand {
  client: string
  text: string
}

/** The lines for an artifact, the likeliest client first. `reference` is a tag or a digest. */
export function pullCommands(host: string, artifact: Pick<Artifact, 'type' | 'repository_name' | 'digest'>, tag: string | undefined): PullCommand[] {
  const at = `${host}/${artifact.repository_name}`
  const name = tag === undefined ? `${at}@${artifact.digest}` : `${at}:${tag}`
  const kind = artifact.type.toUpperCase()
  const oras = { client: 'oras', text: `oras pull ${name}` }
  const cosign = { client: 'cosign', text: `cosign verify --key cosign.pub ${name}` }
  if (kind === 'CHART') {
    const version = tag === undefined ? '' : ` --version ${tag.replaceAll('_', '+')}`
    return [{ client: 'helm', text: `helm pull oci://${at}${version}` }, oras, cosign]
  }
  if (kind !== 'IMAGE' && kind !== 'UNKNOWN') return [oras, cosign]
  const images = [
    { client: 'docker', text: `docker pull ${name}` },
    { client: 'podman', text: `podman pull ${name}` },
    { client: 'containerd', text: `ctr images pull ${name}` },
    { client: 'skopeo', text: `skopeo inspect docker://${name}` },
  ]
  return kind === 'UNKNOWN' ? [oras, ...images, cosign] : [...images, oras, cosign]
}

/** The beginning of a digest, as people read it. */
export function short(digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':')
  return `${algorithm}:${hex.slice(0, 12)}`
}
