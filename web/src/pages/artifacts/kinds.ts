// What artifacts are, as the portal shows it.

import type { Artifact } from '../../api/client'
import type { IconName } from '../../components/Icon.svelte'

/** The types that have a name of their own, for the filter of the list. */
export const TYPES = ['IMAGE', 'CHART', 'CNAB', 'WASM', 'CNAI', 'SBOM', 'UNKNOWN'] as const

const ICONS: Record<string, IconName> = { IMAGE: 'box', CHART: 'helm', CNAB: 'layers', WASM: 'code', CNAI: 'model', SBOM: 'log' }

/** The picture of a type; an index is one of several. */
export function kindIcon(type: string, parts = 0): IconName {
  return parts > 0 ? 'layers' : (ICONS[type] ?? 'info')
}

/** The server's own picture for what brings none. */
const PLAIN = 'sha256:da834479c923584f4cbcdecc0dac61f32bef1d51e8aae598cf16bd154efab49f'

/** The digest of the picture that an artifact brings; nothing where its kind has one here. */
export function ownIcon({ type, icon }: Pick<Artifact, 'type' | 'icon'>): string | undefined {
  return icon && icon !== PLAIN && !Object.hasOwn(ICONS, type) ? icon : undefined
}

/** Whether somebody signed it, as far as its accessories or those of its index tell. */
export function isSigned(artifact: Pick<Artifact, 'accessories' | 'inherited_accessories'>): boolean {
  const all = [...artifact.accessories, ...(artifact.inherited_accessories ?? [])]
  return all.some((one) => one.type.startsWith('signature.'))
}
