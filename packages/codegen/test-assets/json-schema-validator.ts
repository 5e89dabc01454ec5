type Json = Record<string, unknown>;

/**
 * What is wrong with a value by the part of JSON Schema that the generator uses; it refuses any other keyword.
 * @returns a message for each fault, with its place.
 */
export function faults(value: unknown, schema: Json, root: Json = schema, place = '$'): string[] {
  const known = [
    '$schema',
    'title',
    '$defs',
    '$ref',
    'type',
    'const',
    'enum',
    'anyOf',
    'items',
    'properties',
    'required',
    'additionalProperties',
    'pattern',
    'description',
  ];
  const strange = Object.keys(schema).filter((key) => !known.includes(key));
  if (strange.length > 0) return [`${place}: the schema uses ${strange.join(', ')}`];
  if (typeof schema['$ref'] === 'string') {
    const definition = (root['$defs'] as Record<string, Json>)[schema['$ref'].replace('#/$defs/', '')];
    return definition ? faults(value, definition, root, place) : [`${place}: ${schema['$ref']} is not defined`];
  }
  if (Array.isArray(schema['anyOf'])) {
    const fits = (schema['anyOf'] as Json[]).some((one) => faults(value, one, root, place).length === 0);
    return fits ? [] : [`${place}: ${JSON.stringify(value)} fits none of ${schema['anyOf'].length} alternatives`];
  }
  if ('const' in schema)
    return value === schema['const'] ? [] : [`${place}: ${String(value)} is not ${String(schema['const'])}`];
  if (Array.isArray(schema['enum']))
    return schema['enum'].includes(value) ? [] : [`${place}: ${String(value)} is not in the enum`];
  switch (schema['type']) {
    case 'array':
      if (!Array.isArray(value)) return [`${place} is no array`];
      return value.flatMap((item, index) => faults(item, schema['items'] as Json, root, `${place}[${index}]`));
    case 'object':
      return objectFaults(value, schema, root, place);
    case 'string':
      if (typeof value === 'string' && 'pattern' in schema && !new RegExp(String(schema['pattern'])).test(value))
        return [`${place}: ${value} is not like ${String(schema['pattern'])}`];
      return typeof value === 'string' ? [] : [`${place} is no string`];
    case 'number':
    case 'boolean':
      return typeof value === schema['type'] ? [] : [`${place} is no ${schema['type']}`];
    default:
      return [`${place}: the schema says nothing`];
  }
}

function objectFaults(value: unknown, schema: Json, root: Json, place: string): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${place} is no object`];
  const properties = schema['properties'] as Record<string, Json>;
  const others = schema['additionalProperties'] as Json | false | undefined;
  const missing = (schema['required'] as string[]).filter((key) => !(key in value));
  return [
    ...missing.map((key) => `${place}.${key} is missing`),
    ...Object.entries(value).flatMap(([key, inner]) => {
      const known = Object.hasOwn(properties, key) ? properties[key] : others === false ? undefined : others;
      return known ? faults(inner, known, root, `${place}.${key}`) : [`${place}.${key} is unknown`];
    }),
  ];
}
