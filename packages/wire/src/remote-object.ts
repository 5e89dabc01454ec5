import type { CommandStream } from './command-stream.ts';

/** What the guest holds of an object that lives on the host: its id in a connection, and its label. */
export class RemoteObject {
  // Declared, not defined: in a class with many subclasses, V8 defines a field by a slow call, and assigns it quickly.
  /** The connection that the id belongs to. */
  declare readonly stream: CommandStream;
  /** What stands for it in records; 0 for the root object. */
  declare readonly id: number;
  /** The shadow of `GPUObjectBase.label`: reading it costs no round trip. */
  declare label: string;
  /** The object that the program sees; made when it first asks for it. */
  declare wrapper: object | undefined;

  /** @param parent what it was made by: they share a stream. */
  constructor(parent: { readonly stream: CommandStream }, id: number, label = '') {
    this.stream = parent.stream;
    this.id = id;
    this.label = label;
    this.wrapper = undefined;
  }
}

/** An object that records commands: they go to it while it is the current encoder of its stream. */
export class RemoteEncoder extends RemoteObject {
  /**
   * Whether it takes no more commands: `selectEncoder` refuses it then. Set it by `CommandStream.endEncoder`.
   * https://www.w3.org/TR/webgpu/#encoder-state
   */
  declare hasEnded: boolean;
  /** Whether the stream remembers what is set in it while it is the current encoder: see `CommandStream.dropState`. */
  declare keepsState: boolean;

  constructor(parent: { readonly stream: CommandStream }, id: number, label = '') {
    super(parent, id, label);
    this.hasEnded = false;
    this.keepsState = true;
  }

  /** Called in place of a command that comes after the end. */
  reportEnded(): void {}
}

/** The id of an object, for a record of `stream`. @throws TypeError when the object belongs to another connection. */
export function ownId(object: RemoteObject, stream: CommandStream): number {
  if (object.stream !== stream) throw new TypeError('The object belongs to another connection of Vesper');
  return object.id;
}
