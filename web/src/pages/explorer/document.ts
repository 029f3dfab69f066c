// The server's own description of its API, as far as the explorer shows it.

export interface Schema {
  $ref?: string
  type?: string | string[]
  properties?: Record<string, Schema>
  items?: Schema
  allOf?: Schema[]
  oneOf?: Schema[]
  description?: string
  default?: unknown
  enum?: unknown[]
  required?: string[]
}
export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  description?: string
  required?: boolean
}
export interface Operation {
  method: string
  path: string
  id: string
  tag: string
  summary: string
  parameters: Parameter[]
  body: Schema | undefined
  answers: { status: string; schema: Schema | undefined }[]
}
interface Raw {
  paths: Record<
    string,
    Record<
      string,
      {
        operationId?: string
        tags?: string[]
        summary?: string
        parameters?: Parameter[]
        requestBody?: { content?: Record<string, { schema?: Schema }> }
        responses?: Record<string, { content?: Record<string, { schema?: Schema }> }>
      }
    >
  >
  components?: { schemas?: Record<string, Schema> }
}

export interface Document {
  operations: Operation[]
  schemas: Record<string, Schema>
}

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete']

export function readDocument(raw: unknown): Document {
  const { paths, components } = raw as Raw
  const first = (content: Record<string, { schema?: Schema }> | undefined) => Object.values(content ?? {})[0]?.schema
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    METHODS.flatMap((method) => {
      const said = methods[method]
      if (!said) return []
      return [
        {
          method: method.toUpperCase(),
          path,
          id: said.operationId ?? `${method} ${path}`,
          tag: said.tags?.[0] ?? '',
          summary: said.summary ?? '',
          parameters: (said.parameters ?? []).filter((one) => one.name !== 'X-Request-Id'),
          body: first(said.requestBody?.content),
          answers: Object.entries(said.responses ?? {}).map(([status, answer]) => ({ status, schema: first(answer.content) })),
        },
      ]
    }),
  )
  return { operations, schemas: components?.schemas ?? {} }
}

/** A value as a schema describes it, to begin with. */
export function example(schema: Schema | undefined, schemas: Record<string, Schema>, depth = 0): unknown {
  if (!schema || depth > 4) return null
  if (schema.$ref) return example(schemas[schema.$ref.split('/').pop() ?? ''], schemas, depth + 1)
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((part) => example(part, schemas, depth + 1)))
  if (schema.oneOf) return example(schema.oneOf[0], schemas, depth + 1)
  if (schema.default !== undefined) return schema.default
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type
  switch (type) {
    case 'string':
      return ''
    case 'integer':
    case 'number':
      return 0
    case 'boolean':
      return false
    case 'array':
      return [example(schema.items, schemas, depth + 1)]
    case 'null':
      return null
    default:
      return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, one]) => [name, example(one, schemas, depth + 1)]))
  }
}

/** The fields of a model, for people. */
export function describe(schema: Schema | undefined): string {
  if (!schema) return ''
  if (schema.$ref) return schema.$ref.split('/').pop() ?? ''
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type
  return type === 'array' ? `${describe(schema.items)}[]` : (type ?? '')
}
