const blockBytes = 512;
/** Type flag of a regular file: '0', or NUL in archives older than POSIX.1-1988. */
const regularFile = new Set(['0', '\0']);

/**
 * Reads the regular files of an uncompressed ustar archive (POSIX.1-1988 "tar Interchange Format").
 *
 * @param archive the whole archive
 * @param wanted names to return; every other entry is skipped. Names are compared as they stand in the archive, so that
 *   an entry such as `../x` can never be asked for by accident.
 * @returns name → contents, as views into `archive`
 * @throws RangeError when an entry reaches beyond the end of the archive or its size field is not octal
 */
export function readTar(archive: Buffer, wanted: ReadonlySet<string>): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (let offset = 0; offset + blockBytes <= archive.length;) {
    const field = (start: number, length: number) =>
      archive.toString('latin1', offset + start, offset + start + length).split('\0', 1)[0] ?? '';
    const name = field(0, 100);
    if (name === '') break; // the zero block that ends an archive
    const sizeText = field(124, 12).trim();
    const start = offset + blockBytes;
    const size = /^[0-7]+$/.test(sizeText) ? Number.parseInt(sizeText, 8) : Number.NaN;
    if (!(start + size <= archive.length)) {
      throw new RangeError(
        `tar: the entry "${name}" at byte ${offset} says ${sizeText} bytes, beyond the archive's end`,
      );
    }
    const type = String.fromCharCode(archive[offset + 156] ?? 0);
    if (wanted.has(name) && regularFile.has(type)) files.set(name, archive.subarray(start, start + size));
    offset = start + Math.ceil(size / blockBytes) * blockBytes;
  }
  return files;
}
