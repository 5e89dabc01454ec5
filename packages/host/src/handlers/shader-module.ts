import { GPUShaderModuleHandlers, type api, type VesperCompilationInfoValue } from '@vesper-gpu/protocol/host';
import { cutMessage } from '../failure.ts';

/** A compiler that is not content says so this often at most. */
const MAX_MESSAGES = 10_000;

export class ShaderModuleHandlers extends GPUShaderModuleHandlers {
  override async getCompilationInfo(target: api.GPUShaderModule): Promise<VesperCompilationInfoValue> {
    const { messages } = await target.getCompilationInfo();
    return {
      messages: messages.slice(0, MAX_MESSAGES).map(({ message, type, lineNum, linePos, offset, length }) => ({
        message: cutMessage(message),
        type,
        lineNum,
        linePos,
        offset,
        length,
      })),
    };
  }
}
