/** Why SwiftShader cannot be provided. The value is stable: programs may branch on it. */
export type SwiftShaderErrorCode =
  /** Not Linux on x64, which is all that the archive is built for. */
  | 'SWIFTSHADER_UNSUPPORTED_PLATFORM'
  /** The npm package that carries the archive is not installed, or lacks it. */
  | 'SWIFTSHADER_ARCHIVE_MISSING'
  /** The archive does not hold the files that this version was reviewed with. */
  | 'SWIFTSHADER_ARCHIVE_CHANGED'
  /** No folder could be found that is writable and private to this user. */
  | 'SWIFTSHADER_CACHE_UNUSABLE';

/** Thrown by {@link swiftShader}. The message says what is wrong and what to do about it. */
export class SwiftShaderError extends Error {
  /** Name of the class. */
  override readonly name = 'SwiftShaderError';
  /** For programs: stays the same. */
  readonly code: SwiftShaderErrorCode;

  constructor(code: SwiftShaderErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
