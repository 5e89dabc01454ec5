/**
 * The wire schema: everything that the emitters, other tools and other languages need to know of the protocol.
 * Published as `generated/schema/vesper.schema.json`, described by `vesper.schema.schema.json`, which is made from
 * these types.
 */
export interface WireSchema {
  /** Version of frames, records and the handshake. */
  wireVersion: number;
  /** Grows by one with each change; the `since` of what is new. */
  revision: number;
  /** First 16 hexadecimal digits of the SHA-256 of the rest of this file. */
  hash: string;
  /** The IDL that this was made from. */
  idlRevision: string;
  enums: EnumSchema[];
  dictionaries: DictionarySchema[];
  interfaces: InterfaceSchema[];
  namespaces: NamespaceSchema[];
  /** Records from guest to host, replies included; by opcode. */
  commands: CommandSchema[];
  /** Records from host to guest that answer nothing; by opcode. */
  events: EventSchema[];
}

/** A type, after typedefs: what an API takes or gives, and how its value is converted. */
export type TypeSchema =
  | { kind: 'undefined' }
  | { kind: 'boolean' }
  | { kind: 'integer'; bits: 16 | 32 | 64; signed: boolean; conversion: 'enforceRange' | 'clamp' | 'modulo' }
  | { kind: 'float'; bits: 32 | 64 }
  | { kind: 'string'; scalarValues: boolean }
  | { kind: 'enum'; name: string }
  | { kind: 'dictionary'; name: string }
  /** A dictionary that may also be given as a sequence of its members' values, such as GPUExtent3D. */
  | { kind: 'shape'; name: string }
  /** An object of any of these interfaces. */
  | { kind: 'object'; interfaces: string[] }
  | { kind: 'bytes'; type: 'ArrayBuffer' | 'Uint32Array' | 'AllowSharedBufferSource' }
  | { kind: 'sequence'; element: TypeSchema }
  | { kind: 'frozenArray'; element: TypeSchema }
  | { kind: 'record'; value: TypeSchema; scalarValueKeys: boolean }
  /** `undefinable` where the null value is written "or undefined" in the IDL. */
  | { kind: 'nullable'; inner: TypeSchema; undefinable: boolean }
  | { kind: 'union'; members: TypeSchema[] }
  | { kind: 'promise'; inner: TypeSchema }
  /** A type of another specification, such as EventHandler. */
  | { kind: 'external'; name: string };

export type LiteralSchema = number | string | boolean | 'empty-sequence' | 'empty-dictionary';

export interface EnumSchema {
  name: string;
  /** In the IDL's order; `number` is what crosses the wire. */
  values: { name: string; number: number; since: number }[];
  spec: string;
}

export interface FieldSchema {
  name: string;
  type: TypeSchema;
  required: boolean;
  default?: LiteralSchema;
  /** In a dictionary: the bit of the presence mask that says whether an optional field follows. */
  bit?: number;
  since: number;
}

export interface DictionarySchema {
  name: string;
  inherits?: string;
  /** Fields of its own and inherited, in wire order. A word with a bit for each optional one comes first, always. */
  fields: FieldSchema[];
  /** Names of all fields in the order in which Web IDL reads them. */
  conversionOrder: string[];
  /** Which of our records need it; guest types are those of the public API. */
  use: 'api' | 'wire';
  /** Whether the host sends it. */
  fromHost: boolean;
  /** Whether the guest sends it. */
  fromGuest: boolean;
  spec: string;
}

export type RemotingClass = 'command' | 'create' | 'bulk' | 'request' | 'local' | 'event' | 'excluded' | 'runtime';

export interface ArgumentSchema {
  name: string;
  type: TypeSchema;
  optional: boolean;
  default?: LiteralSchema;
}

export interface MemberSchema {
  name: string;
  kind: 'attribute' | 'operation' | 'constructor' | 'setlike';
  /** The interface or mixin that declares it. */
  declaredBy: string;
  class: RemotingClass;
  /** Who implements the guest's side: the generator, or a class in packages/guest. */
  guest: 'generated' | 'hand';
  group: string;
  reason?: string;
  readonly: boolean;
  sameObject: boolean;
  /** Type of the attribute, of the result, or of a setlike's elements. */
  type: TypeSchema;
  /** One list an overload. */
  overloads: ArgumentSchema[][];
  /** The record that it becomes, if any. */
  command?: string;
  spec: string;
}

export interface InterfaceSchema {
  name: string;
  /** Type of the ids that stand for such objects; 0 for interfaces that never cross the wire. */
  number: number;
  inherits?: string;
  /** Whether its commands go to the current encoder. */
  isEncoder: boolean;
  /** Whether the class itself is written by hand in packages/guest. */
  isHandWritten: boolean;
  serializable: boolean;
  /** Own members and those of mixins. */
  members: MemberSchema[];
  spec: string;
}

export interface NamespaceSchema {
  name: string;
  constants: { name: string; value: number }[];
  spec: string;
}

export interface CommandSchema {
  /** `GPUQueue.writeBuffer`: the interface or mixin that declares it, and the member. */
  name: string;
  opcode: number;
  since: number;
  class: 'command' | 'create' | 'bulk' | 'request' | 'runtime';
  /** What the record's first word names: an object of these interfaces, the current encoder, or nothing. */
  target: { kind: 'object' | 'currentEncoder' | 'none'; interfaces: string[] };
  /** Interfaces of the ids that the guest allocates for it; the ids follow the target. */
  creates: string[];
  /** The arguments, in order; optional ones at the end are left out together with what follows them. */
  fields: FieldSchema[];
  /** For a request: the type of its reply's payload. */
  reply?: TypeSchema;
  host: 'generated' | 'hand';
  guest: 'generated' | 'hand';
  ownership: string;
  cost: string;
  group: string;
  spec: string;
}

export interface EventSchema {
  name: string;
  opcode: number;
  since: number;
  target: { kind: 'object' | 'none'; interfaces: string[] };
  fields: FieldSchema[];
  spec: string;
}
