import { createHash } from 'node:crypto';

/** One file that is taken out of the archive. */
export interface ContentFile {
  readonly name: string;
  /** Length in bytes. */
  readonly size: number;
  /** SHA-256 in lower-case hexadecimal. */
  readonly sha256: string;
}

/** The npm package that carries the archive, and the version that {@link contents} was taken from. */
export const archivePackage = { name: '@sparticuz/chromium', version: '147.0.0' } as const;

/** The Vulkan loader's manifest for SwiftShader. It names the driver relative to itself. */
export const icdFileName = 'vk_swiftshader_icd.json';

/**
 * What is unpacked: the driver, the Vulkan loader, the manifest. The archive's OpenGL ES libraries are left out, so that
 * a library path with this folder in it shadows nothing but libvulkan.so.1.
 *
 * Sizes and hashes are pinned here, not recorded while unpacking: a native library that goes into the process with the
 * GPU must be the reviewed one, and a damaged cache is found without reading the archive again. When the version above
 * changes, the test prints the values to put here.
 */
export const contents: readonly ContentFile[] = [
  {
    name: 'libvk_swiftshader.so',
    size: 6026040,
    sha256: '5b9e8591c7c2d1c9618c3ad485d0cdffb81f5f1ffd6a982fdb6578c2d8d3213e',
  },
  {
    name: 'libvulkan.so.1',
    size: 787592,
    sha256: 'fe17a77c1f2df38d3b6a935140f746fd80aac564bb44eb3e4f6b75a504295a41',
  },
  {
    name: icdFileName,
    size: 107,
    sha256: 'c9eef28b6b984fec220ef0abfecc40b502d46946706e47bfe97707027cb818bd',
  },
];

/** Names the cache folder: other contents, other folder, so that versions live side by side. */
export const contentHash: string = createHash('sha256')
  .update(contents.map((file) => `${file.name} ${file.sha256}\n`).join(''))
  .digest('hex')
  .slice(0, 16);

/** SHA-256 of bytes in lower-case hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
