/** Web IDL as plain data: what `parse` makes of a file, before names are looked up. */
export type IdlType =
  | { kind: 'name'; name: string; nullable: boolean; attributes: IdlTypeAttributes }
  | {
      kind: 'generic';
      name: 'sequence' | 'record' | 'Promise' | 'FrozenArray';
      arguments: IdlType[];
      nullable: boolean;
    }
  | { kind: 'union'; members: IdlType[]; nullable: boolean };

/** The extended attributes that apply to types. */
export interface IdlTypeAttributes {
  enforceRange?: true;
  clamp?: true;
  allowShared?: true;
}

export type IdlLiteral =
  | { kind: 'number'; value: number }
  | { kind: 'string'; value: string }
  | { kind: 'boolean'; value: boolean }
  | { kind: 'sequence' }
  | { kind: 'dictionary' };

export interface IdlArgument {
  name: string;
  type: IdlType;
  optional: boolean;
  default?: IdlLiteral;
}

export interface IdlAttribute {
  kind: 'attribute';
  name: string;
  type: IdlType;
  readonly: boolean;
  sameObject: boolean;
}

export interface IdlOperation {
  kind: 'operation';
  name: string;
  returns: IdlType;
  arguments: IdlArgument[];
  newObject: boolean;
}

export interface IdlConstructor {
  kind: 'constructor';
  name: 'constructor';
  arguments: IdlArgument[];
}

export interface IdlSetlike {
  kind: 'setlike';
  name: 'setlike';
  element: IdlType;
}

export type IdlMember = IdlAttribute | IdlOperation | IdlConstructor | IdlSetlike;

export interface IdlInterface {
  kind: 'interface' | 'mixin';
  name: string;
  partial: boolean;
  inherits?: string;
  serializable: boolean;
  members: IdlMember[];
  /** File that declares it, for messages. */
  file: string;
}

export interface IdlField {
  name: string;
  type: IdlType;
  required: boolean;
  default?: IdlLiteral;
}

export interface IdlDictionary {
  kind: 'dictionary';
  name: string;
  partial: boolean;
  inherits?: string;
  fields: IdlField[];
  file: string;
}

export interface IdlEnum {
  kind: 'enum';
  name: string;
  values: string[];
  file: string;
}

export interface IdlTypedef {
  kind: 'typedef';
  name: string;
  type: IdlType;
  file: string;
}

export interface IdlNamespace {
  kind: 'namespace';
  name: string;
  constants: { name: string; value: number }[];
  file: string;
}

export interface IdlIncludes {
  kind: 'includes';
  target: string;
  mixin: string;
  file: string;
}

export type IdlDefinition = IdlInterface | IdlDictionary | IdlEnum | IdlTypedef | IdlNamespace | IdlIncludes;
