// What more an artifact's content says: which parts there are, and how they are read.

import type { Artifact } from '../../api/client'
import type { Node } from './Files.svelte'
import { readHistory, type Step } from './history'

/** The parts that the portal shows, in the order of their tabs. */
export const ADDITIONS = ['readme.md', 'values.yaml', 'dependencies', 'build_history', 'files', 'license'] as const
export type Addition = (typeof ADDITIONS)[number]

/** The parts that an artifact has. */
export function additionsOf(artifact: Pick<Artifact, 'addition_links'>): Addition[] {
  return ADDITIONS.filter((name) => artifact.addition_links?.[name])
}

export interface Dependency {
  name: string
  version: string
  repository: string
}

export type Read =
  | { kind: 'history'; steps: Step[] }
  | { kind: 'dependencies'; charts: Dependency[] }
  | { kind: 'files'; nodes: Node[] }
  | { kind: 'text'; text: string; left: number }

/** How much of a text is drawn: whoever wants more has the file. */
export const MOST_LINES = 2000
const MOST_CHARACTERS = 200_000

/** The beginning of a text, and how many lines are left out of it. */
export function beginning(text: string): { text: string; left: number } {
  const lines = text.split('\n')
  let count = 0
  for (let characters = 0; count < Math.min(lines.length, MOST_LINES); count += 1) {
    characters += (lines[count] ?? '').length + 1
    if (characters > MOST_CHARACTERS) break
  }
  if (count === 0 && text) return { text: text.slice(0, MOST_CHARACTERS), left: lines.length }
  return { text: lines.slice(0, count).join('\n'), left: lines.length - count }
}

/** What the server answered for a part, as it is drawn. */
export function readAddition(name: Addition, text: string): Read {
  if (name === 'build_history') return { kind: 'history', steps: readHistory(text) }
  if (name === 'dependencies') {
    const told: unknown = JSON.parse(text)
    const word = (value: unknown) => (typeof value === 'string' ? value : '')
    const charts = (Array.isArray(told) ? told : []).map((one: Record<string, unknown> | null) => ({
      name: word(one?.name),
      version: word(one?.version),
      repository: word(one?.repository),
    }))
    return { kind: 'dependencies', charts }
  }
  if (name === 'files') {
    const told: unknown = JSON.parse(text)
    return { kind: 'files', nodes: Array.isArray(told) ? (told as Node[]) : [] }
  }
  return { kind: 'text', ...beginning(text) }
}
