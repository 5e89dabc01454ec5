/** Longer names are not compared: the text may be a guest's. */
const MAX_LENGTH = 80;

/** The known name that was probably meant, for a typo of it; undefined when none is near. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  if (name.length > MAX_LENGTH) return undefined;
  const all = [...known];
  // What the specification writes in a mixin is called on what includes it: GPURenderPassEncoder.draw.
  const dot = name.lastIndexOf('.');
  const ofOthers = dot > 0 ? all.filter((candidate) => candidate.endsWith(name.slice(dot))) : [];
  if (ofOthers.length > 0) return closest(name, ofOthers, Number.POSITIVE_INFINITY);
  return closest(name, all, Math.max(2, Math.floor(name.length / 4)) + 1);
}

/** The first of `candidates` with the smallest distance, which is below `bestDistance`. */
function closest(name: string, candidates: readonly string[], bestDistance: number): string | undefined {
  let best: string | undefined;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance >= bestDistance) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

/** A remedy, to be worded when it is needed: `Did you mean "x"?` where there is such a name; else `otherwise`. */
export function didYouMean(name: string, known: Iterable<string>, otherwise: string): () => string {
  return () => {
    const found = nearest(name, known);
    return found === undefined ? otherwise : `Did you mean ${JSON.stringify(found)}?`;
  };
}

/** Names in a message: the first of them. */
export function listed(names: readonly string[]): string {
  const MOST = 12;
  return names.length <= MOST ? names.join(', ') : `${names.slice(0, MOST).join(', ')}, … (${names.length} in all)`;
}

/** Insertions, deletions, substitutions that make one text of the other. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
