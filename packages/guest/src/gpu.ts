import {
  decodeVesperAdapterReply,
  encodeGpuRequestAdapter,
  GPUBase,
  type api,
  type GPURequestAdapterOptionsValue,
  type WGSLLanguageFeaturesImplementation,
} from '@vesper-gpu/protocol/guest';
import type { CommandStream } from '@vesper-gpu/wire';
import { Adapter } from './adapter.ts';
import { capabilities } from './capabilities.ts';
import type { Connection } from './connection.ts';

/** The root object: what `navigator.gpu` is. */
export class Root extends GPUBase {
  readonly #connection: Connection;
  readonly #wgslLanguageFeatures: WGSLLanguageFeaturesImplementation;

  constructor(stream: CommandStream, connection: Connection) {
    super({ stream }, 0);
    this.#connection = connection;
    this.#wgslLanguageFeatures = { values: new Set(stream.host.wgslLanguageFeatures) };
  }

  /** Resolves to null when there is no adapter, and when the host is gone. */
  override async requestAdapter(options: GPURequestAdapterOptionsValue): Promise<Adapter | null> {
    const { stream } = this;
    if (stream.closedBy !== undefined) return null;
    const id = stream.ids.allocate();
    const reply = await stream
      .request(decodeVesperAdapterReply, (request) => encodeGpuRequestAdapter(stream.writer, request, id, options))
      .catch(() => undefined);
    if (reply?.adapter === undefined) {
      stream.release(id);
      return null;
    }
    return new Adapter(this, id, capabilities(reply.adapter), this.#connection);
  }

  override getPreferredCanvasFormat(): api.GPUTextureFormat {
    return this.stream.host.preferredCanvasFormat as api.GPUTextureFormat;
  }

  override get wgslLanguageFeatures(): WGSLLanguageFeaturesImplementation {
    return this.#wgslLanguageFeatures;
  }
}
