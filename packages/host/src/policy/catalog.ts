import {
  policyCommands,
  policyDictionaries,
  policyEnums,
  policyGroups,
  policyLimits,
  type PolicyCommand,
  type PolicyField,
  type PolicyType,
} from '@vesper-gpu/protocol/host';

/** What a path of a policy leads to. */
export type PolicyPath =
  | { readonly kind: 'group'; readonly path: string; readonly commands: readonly PolicyCommand[] }
  | { readonly kind: 'interface'; readonly path: string; readonly commands: readonly PolicyCommand[] }
  | { readonly kind: 'command'; readonly path: string; readonly command: PolicyCommand }
  /** A field of a dictionary, or with `command` an argument of it. */
  | { readonly kind: 'field'; readonly path: string; readonly field: PolicyField; readonly command?: PolicyCommand }
  | {
      readonly kind: 'value';
      readonly path: string;
      readonly enum: string;
      readonly value: string;
      readonly since: number;
    };

/** Everything that a policy can name in `allow` and `where`, by its path. */
export const policyPaths: ReadonlyMap<string, PolicyPath> = collectPaths();

/** Names of the features. https://www.w3.org/TR/webgpu/#gpufeaturename */
export const policyFeatures: readonly string[] = Object.keys(policyEnums['GPUFeatureName'] ?? {});

export { policyLimits };

function collectPaths(): Map<string, PolicyPath> {
  const paths = new Map<string, PolicyPath>();
  for (const group of policyGroups) {
    const commands = policyCommands.filter((command) => command.group === group);
    paths.set(`@${group}`, { kind: 'group', path: `@${group}`, commands });
  }
  for (const command of policyCommands) {
    const owner = interfaceOf(command);
    const commands = policyCommands.filter((other) => interfaceOf(other) === owner);
    paths.set(owner, { kind: 'interface', path: owner, commands });
    paths.set(command.name, { kind: 'command', path: command.name, command });
    for (const field of command.fields) {
      const path = `${command.name}.${field.name}`;
      paths.set(path, { kind: 'field', path, field, command });
    }
  }
  for (const [name, fields] of Object.entries(policyDictionaries)) {
    for (const field of fields)
      paths.set(`${name}.${field.name}`, { kind: 'field', path: `${name}.${field.name}`, field });
  }
  for (const [name, values] of Object.entries(policyEnums)) {
    for (const [value, since] of Object.entries(values)) {
      paths.set(`${name}.${value}`, { kind: 'value', path: `${name}.${value}`, enum: name, value, since });
    }
  }
  return paths;
}

function interfaceOf(command: PolicyCommand): string {
  return command.name.slice(0, command.name.indexOf('.'));
}

/** The paths of a command, its arguments, and the fields of all dictionaries that can be in them. */
export function pathsWithin(command: PolicyCommand): string[] {
  const paths = new Set<string>([command.name]);
  const visit = (type: PolicyType): void => {
    if (type.kind === 'sequence' || type.kind === 'record') visit(type.element);
    if (type.kind === 'union') type.members.forEach(visit);
    if (type.kind !== 'dictionary') return;
    for (const field of policyDictionaries[type.name] ?? []) {
      const path = `${type.name}.${field.name}`;
      if (paths.has(path)) continue;
      paths.add(path);
      visit(field.type);
    }
  };
  for (const field of command.fields) {
    paths.add(`${command.name}.${field.name}`);
    visit(field.type);
  }
  return [...paths];
}
