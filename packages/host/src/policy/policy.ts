/**
 * What a session is held to: one role of a policy file, resolved. Plain data, the same in JSON: a broker reads the file
 * and gives each executor its guest's policy. Whatever is absent is not limited; whatever is not allowed is denied.
 */
export interface Policy {
  /** Name of the role, for logs and messages. */
  readonly role: string;
  /** IDL paths of the commands that may be used, such as `GPUQueue.writeBuffer`; sorted. */
  readonly allow: readonly string[];
  /**
   * IDL paths of fields (`GPUBufferDescriptor.usage`, `GPUQueue.submit.commandBuffers`) and enumeration values
   * (`GPUTextureFormat.r8unorm`) that may not be used: those that are newer than the policy and that it does not name.
   */
  readonly deny: readonly string[];
  /** Names of the features that may be asked for. https://www.w3.org/TR/webgpu/#gpufeaturename */
  readonly features: readonly string[];
  /** The best that may be asked for, by name of the limit. https://www.w3.org/TR/webgpu/#limits */
  readonly limits: Readonly<Record<string, number>>;
  /** Constraints by IDL path of a field, an argument or a command. */
  readonly where: Readonly<Record<string, Constraint>>;
  /** What shaders may cost. */
  readonly wgsl: WgslLimits;
  /** What may be spent. */
  readonly budget: Budget;
  /** What the guest learns of the adapter. */
  readonly adapterInfo: AdapterInfoPolicy;
  /** How exactly the guest can measure time on the GPU. */
  readonly timestamps: TimestampPolicy;
  /** Whether only a fallback adapter, a software one, is given. https://www.w3.org/TR/webgpu/#fallback-adapter */
  readonly forceFallbackAdapter: boolean;
}

/** What a value has to be. All that is said must hold; an absent value satisfies everything. */
export interface Constraint {
  /** Least and greatest number. For a sequence, each element is held to it; so it is with the sets below. */
  readonly min?: number;
  /** See `min`. */
  readonly max?: number;
  /** The values there may be: names of an enumeration, other strings, or numbers. */
  readonly oneOf?: readonly (string | number)[];
  /** The values there may not be; for flags, the names of bits of which none may be set. */
  readonly noneOf?: readonly (string | number)[];
  /** For flags: the names of the only bits that may be set. */
  readonly within?: readonly string[];
  /** Greatest product of the numbers in it: of a command's arguments, of a GPUExtent3D. */
  readonly productMax?: number;
  /** Greatest length: elements of a sequence, UTF-16 units of a string, bytes of data. */
  readonly lengthMax?: number;
  /** The value has to be left out (or be what the IDL gives in its place). */
  readonly absent?: true;
}

/** What shaders may cost. */
export interface WgslLimits {
  /** Of one module, in UTF-8 bytes. */
  readonly maxBytes?: number;
  /** Functions that one module declares. */
  readonly maxFunctions?: number;
  /** Calls that one module has once every call is replaced by the body of what it calls. */
  readonly maxExpandedCalls?: number;
  /** How long one compilation may take, in milliseconds. Then the session ends. */
  readonly compileMs?: number;
  /** SHA-256 of the only modules that are allowed, of their UTF-8 bytes, in lower-case hexadecimal. */
  readonly sha256?: readonly string[];
}

/** What may be spent. Bytes and milliseconds. */
export interface Budget {
  /** Memory of buffers, textures and query sets at one time. */
  readonly gpuMemory?: number;
  /** Memory that the executor process may occupy. Then the session ends. */
  readonly processMemory?: number;
  /** Objects that exist at one time. */
  readonly objects?: number;
  /** Submits that are not done yet. The host reads on when there are fewer. */
  readonly inflightSubmits?: number;
  /** GPU time in each second. The host reads on when there is some again. */
  readonly gpuMsPerSec?: number;
  /** GPU time altogether. Then the session ends. */
  readonly gpuMsTotal?: number;
  /** How long the GPU may work without getting a submit done, or the host on one command. Then the session ends. */
  readonly hangMs?: number;
  /** Bytes received in each second, on average. The host reads on when the rate is kept. */
  readonly bytesPerSec?: number;
  /** Commands received in each second, on average. Likewise. */
  readonly commandsPerSec?: number;
  /** Bytes received altogether. Then the session ends. */
  readonly bytes?: number;
  /** Commands received altogether. Then the session ends. */
  readonly commands?: number;
  /** How long the session may last. Then it ends. */
  readonly wallMs?: number;
}

/**
 * What the guest learns of the adapter. `full`: all. `bucketed`: vendor and architecture; limits are rounded down to
 * powers of two. `redacted`: nothing; limits are WebGPU's defaults, or what the policy names. `deny`: as `redacted`, and
 * the guest cannot choose between adapters either.
 */
export type AdapterInfoPolicy = 'full' | 'bucketed' | 'redacted' | 'deny';

/** `full`: as the GPU gives them. A quantum: rounded down to a multiple of so many microseconds. `deny`: no timestamp queries. */
export type TimestampPolicy = 'full' | 'deny' | { readonly quantumUs: number };
