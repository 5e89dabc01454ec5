import {
  decodeVesperCompilationInfo,
  encodeShaderModuleGetCompilationInfo,
  GPUShaderModuleBase,
  type GPUCompilationInfoImplementation,
} from '@vesper-gpu/protocol/guest';

export class ShaderModule extends GPUShaderModuleBase {
  /** Resolves without messages when the host is gone: it never rejects. */
  override async getCompilationInfo(): Promise<GPUCompilationInfoImplementation> {
    const { stream, id } = this;
    return stream
      .request(decodeVesperCompilationInfo, (request) =>
        encodeShaderModuleGetCompilationInfo(stream.writer, id, request),
      )
      .catch(() => ({ messages: [] }));
  }
}
