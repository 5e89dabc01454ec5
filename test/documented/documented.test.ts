import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Node, Project } from 'ts-morph';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const packages = readdirSync(join(root, 'packages'))
  .map((name) => join(root, 'packages', name))
  .filter((folder) => existsSync(join(folder, 'src/index.ts')));
const entries: [folder: string, entry: string][] = [
  ...packages.map((folder): [string, string] => [folder, 'index.ts']),
  ...['index.ts', 'guest/index.ts', 'host/index.ts'].map((entry): [string, string] => [join(root, 'generated'), entry]),
];

/** What an entry point exports without a word of documentation, or of type `any`. */
function faults(folder: string, entry: string): string[] {
  const project = new Project({ tsConfigFilePath: join(folder, 'tsconfig.json') });
  const isGenerated = folder.endsWith('generated');
  const found = new Set<string>();
  for (const [name, declarations] of project
    .getSourceFileOrThrow(join(folder, 'src', entry))
    .getExportedDeclarations()) {
    for (const declaration of declarations) {
      if (!declaration.getSourceFile().getFilePath().startsWith(folder)) continue;
      const holder = Node.isVariableDeclaration(declaration) ? declaration.getVariableStatementOrThrow() : declaration;
      if (Node.isJSDocable(holder) && holder.getJsDocs().length === 0) found.add(name);
      for (const member of publicMembers(declaration)) {
        if (!isGenerated && Node.isJSDocable(member) && member.getJsDocs().length === 0) {
          found.add(`${name}.${Node.hasName(member) ? member.getName() : ''}`);
        }
      }
      if (!Node.isSourceFile(declaration) && declaration.getDescendants().some((node) => Node.isAnyKeyword(node)))
        found.add(`${name}: any`);
    }
  }
  return [...found];
}

function publicMembers(declaration: Node): Node[] {
  if (Node.isInterfaceDeclaration(declaration)) return declaration.getMembers();
  if (!Node.isClassDeclaration(declaration)) return [];
  return declaration
    .getInstanceMembers()
    .filter((member) => member.getScope() === 'public' && !member.getName().startsWith('#'));
}

it.each(entries)('%s %s documents all it exports, and has no any', (folder, entry) => {
  expect(faults(folder, entry)).toEqual([]);
});
