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
  /** In the IDL's order, as dictionaries, interfaces and namespaces are. */
  enums: EnumSchema[];
  /** Those that cross the wire, and those that only conversions need. */
  dictionaries: DictionarySchema[];
  /** No mixins: their members stand with the interfaces that include them. */
  interfaces: InterfaceSchema[];
  /** Flag namespaces such as GPUBufferUsage. */
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
  /** `flags`: the namespace of the bits, such as GPUBufferUsage, where it is a set of such. */
  | {
      kind: 'integer';
      bits: 16 | 32 | 64;
      signed: boolean;
      conversion: 'enforceRange' | 'clamp' | 'modulo';
      flags?: string;
    }
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

/** A default value, as Web IDL can write it. */
export type LiteralSchema = number | string | boolean | 'empty-sequence' | 'empty-dictionary';

/** A Web IDL enumeration. */
export interface EnumSchema {
  /** Such as `GPUTextureFormat`. */
  name: string;
  /** In the IDL's order; `number` is what crosses the wire. */
  values: { name: string; number: number; since: number }[];
  /** Where it is specified: an anchor of the WebGPU specification, or a file of ours. */
  spec: string;
}

/** A field of a dictionary or of a record. */
export interface FieldSchema {
  /** As the IDL names it. */
  name: string;
  /** What its bytes are. */
  type: TypeSchema;
  /** Whether it is always sent. */
  required: boolean;
  /** What an absent one stands for, where the IDL says so. */
  default?: LiteralSchema;
  /** In a dictionary: the bit of the presence mask that says whether an optional field follows. */
  bit?: number;
  /** Revision that added it. */
  since: number;
}

/** A Web IDL dictionary. */
export interface DictionarySchema {
  /** Such as `GPUBufferDescriptor`. */
  name: string;
  /** The dictionary whose fields come first. */
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
  /** Where it is specified: an anchor of the WebGPU specification, or a file of ours. */
  spec: string;
}

/** What becomes of a member: see idl/overlay.json. */
export type RemotingClass = 'command' | 'create' | 'bulk' | 'request' | 'local' | 'event' | 'excluded' | 'runtime';

/** An argument of an operation, as a program gives it. */
export interface ArgumentSchema {
  /** As the IDL names it. */
  name: string;
  /** With the conversion that Web IDL asks for. */
  type: TypeSchema;
  /** Whether a call may leave it out. */
  optional: boolean;
  /** What it is then, where the IDL says so. */
  default?: LiteralSchema;
}

/** A member of an interface, as a program sees it. */
export interface MemberSchema {
  /** As the IDL names it; `constructor` and `setlike` for those. */
  name: string;
  /** Web IDL's kind of member. */
  kind: 'attribute' | 'operation' | 'constructor' | 'setlike';
  /** The interface or mixin that declares it. */
  declaredBy: string;
  /** How it is remoted. */
  class: RemotingClass;
  /** Who implements the guest's side: the generator, or a class in packages/guest. */
  guest: 'generated' | 'hand';
  /** Policy group. */
  group: string;
  /** Why it is excluded, or why it is answered by the guest. */
  reason?: string;
  /** For an attribute: whether it has no setter. */
  readonly: boolean;
  /** Whether it always gives the same object. */
  sameObject: boolean;
  /** Type of the attribute, of the result, or of a setlike's elements. */
  type: TypeSchema;
  /** One list an overload. */
  overloads: ArgumentSchema[][];
  /** The record that it becomes, if any. */
  command?: string;
  /** Where it is specified: an anchor of the WebGPU specification, or a file of ours. */
  spec: string;
}

/** A Web IDL interface. */
export interface InterfaceSchema {
  /** Such as `GPUBuffer`. */
  name: string;
  /** Type of the ids that stand for such objects; 0 for interfaces that never cross the wire. */
  number: number;
  /** The interface that it extends, one of the platform's perhaps. */
  inherits?: string;
  /** Whether its commands go to the current encoder. */
  isEncoder: boolean;
  /** Whether the class itself is written by hand in packages/guest. */
  isHandWritten: boolean;
  /** Whether structuredClone copies its objects. */
  serializable: boolean;
  /** Own members and those of mixins. */
  members: MemberSchema[];
  /** Where it is specified: an anchor of the WebGPU specification, or a file of ours. */
  spec: string;
}

/** A Web IDL namespace of constants. */
export interface NamespaceSchema {
  /** Such as `GPUBufferUsage`. */
  name: string;
  /** In the IDL's order. */
  constants: { name: string; value: number }[];
  /** Where it is specified: an anchor of the WebGPU specification, or a file of ours. */
  spec: string;
}

/** A record from guest to host. */
export interface CommandSchema {
  /** `GPUQueue.writeBuffer`: the interface or mixin that declares it, and the member. */
  name: string;
  /** Its number in record headers; a reply has that of its request. */
  opcode: number;
  /** Revision that added it. */
  since: number;
  /** How it is remoted. */
  class: 'command' | 'create' | 'bulk' | 'request' | 'runtime';
  /** What the record's first word names: an object of these interfaces, the current encoder, or nothing. */
  target: { kind: 'object' | 'currentEncoder' | 'none'; interfaces: string[] };
  /** Interfaces of the ids that the guest allocates for it; the ids follow the target. */
  creates: string[];
  /** The arguments, in order; optional ones at the end are left out together with what follows them. */
  fields: FieldSchema[];
  /** For a request: the type of its reply's payload. */
  reply?: TypeSchema;
  /** Whether the host's handler is generated, or written in packages/host. */
  host: 'generated' | 'hand';
  /** Whether the guest's member is generated, or written in packages/guest. */
  guest: 'generated' | 'hand';
  /** What it does with objects: none, uses, creates, consumes. */
  ownership: string;
  /** What the host spends on it: constant, bytes, objects, memory, compile, gpu-time. */
  cost: string;
  /** Policy group. */
  group: string;
  /** What it does to the state of an encoder that has one; absent: whatever the state was, nothing is known of it then. */
  state?: StateEffect;
  /** Where it is specified: an anchor of the WebGPU specification, or a file of ours. */
  spec: string;
}

/**
 * What a command does to the state of its encoder. One that `sets` a part of it and is repeated, argument by argument, while
 * nothing else has touched that part, changes nothing and fails as little as the first did: it need not be sent or executed.
 */
export interface StateEffect {
  /** `keeps`: all parts are as before; `clears`: none is set; `sets`: one is. */
  kind: 'keeps' | 'clears' | 'sets';
  /** Name of the first argument, where it says which of several parts is set: a slot. */
  key?: string;
}

/** A record from host to guest that answers nothing. */
export interface EventSchema {
  /** `GPUDevice.lost`: the interface, and the member that it is seen by. */
  name: string;
  /** Its number in record headers. */
  opcode: number;
  /** Revision that added it. */
  since: number;
  /** What the record's first word names. */
  target: { kind: 'object' | 'none'; interfaces: string[] };
  /** Behind the target, in order. */
  fields: FieldSchema[];
  /** Where it is specified: an anchor of the WebGPU specification, or a file of ours. */
  spec: string;
}
