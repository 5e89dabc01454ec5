import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Project, type Type } from 'ts-morph';

type Json = Record<string, unknown>;

/**
 * The JSON Schema of the wire schema, made from its TypeScript types, so that the two cannot differ.
 * @param sourceFile path of schema.ts; by default the one that this package ships.
 */
export function jsonSchemaOfSchema(sourceFile = defaultSource()): object {
  const project = new Project({
    compilerOptions: { strict: true, skipLibCheck: true },
    skipFileDependencyResolution: true,
  });
  const file = project.addSourceFileAtPath(sourceFile);
  const definitions: Json = {};
  const builder = new Builder(definitions);
  const root = builder.reference(file.getInterfaceOrThrow('WireSchema').getType());
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Vesper wire schema',
    ...root,
    $defs: definitions,
  };
}

function defaultSource(): string {
  return join(dirname(fileURLToPath(import.meta.url)), '../../src/schema/schema.ts');
}

class Builder {
  readonly #definitions: Json;

  constructor(definitions: Json) {
    this.#definitions = definitions;
  }

  /** Named types become definitions, so that recursive ones end. */
  reference(type: Type): Json {
    const name =
      type.getAliasSymbol()?.getName() ?? (type.isInterface() ? type.getSymbolOrThrow().getName() : undefined);
    if (name === undefined || name === 'Record' || name === 'Pick') return this.#inline(type);
    if (!(name in this.#definitions)) {
      this.#definitions[name] = {};
      this.#definitions[name] = this.#inline(type);
    }
    return { $ref: `#/$defs/${name}` };
  }

  #inline(type: Type): Json {
    if (type.isBoolean()) return { type: 'boolean' };
    if (type.isLiteral())
      return { const: type.isBooleanLiteral() ? type.getText() === 'true' : type.getLiteralValue() };
    if (type.isString()) return { type: 'string' };
    if (type.isNumber()) return { type: 'number' };
    if (type.isArray()) return { type: 'array', items: this.reference(type.getArrayElementTypeOrThrow()) };
    if (type.isUnion()) {
      const members = type.getUnionTypes().filter((member) => !member.isUndefined());
      if (members.length === 1) return this.reference(members[0]!);
      if (members.every((member) => member.isStringLiteral() || member.isNumberLiteral()))
        return { enum: members.map((member) => member.getLiteralValue()) };
      if (members.some((member) => member.isBooleanLiteral())) {
        const others = members.filter((member) => !member.isBooleanLiteral());
        return { anyOf: [{ type: 'boolean' }, ...others.map((member) => this.reference(member))] };
      }
      return { anyOf: members.map((member) => this.reference(member)) };
    }
    const properties = type.getProperties();
    const required: string[] = [];
    const shapes: Json = {};
    for (const property of properties) {
      const declaration = property.getDeclarations()[0]!;
      if (!property.isOptional()) required.push(property.getName());
      shapes[property.getName()] = this.reference(property.getTypeAtLocation(declaration).getNonNullableType());
    }
    return { type: 'object', properties: shapes, required, additionalProperties: false };
  }
}
