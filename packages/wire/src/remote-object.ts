import type { CommandStream } from './command-stream.ts';

/** What the guest holds of an object that lives on the host: its id in a connection, and its label. */
export class RemoteObject {
  readonly stream: CommandStream;
  readonly id: number;
  /** The shadow of `GPUObjectBase.label`: reading it costs no round trip. */
  label: string;
  /** The object that the program sees; made when it first asks for it. */
  wrapper: object | undefined;

  constructor(stream: CommandStream, id: number, label = '') {
    this.stream = stream;
    this.id = id;
    this.label = label;
  }
}
