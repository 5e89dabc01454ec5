import { GPUShaderModuleHandlers, type api, type VesperCompilationInfoValue } from '@vesper-gpu/protocol/host';
import { MAX_MESSAGE_LENGTH } from '@vesper-gpu/wire';
import { cutMessage } from '../failure.ts';
import type { HostConnection } from '../host-connection.ts';

/** A compiler that is not content says so this often at most, and in so many UTF-16 units altogether. */
const MAX_MESSAGES = 1000;
const MAX_TOTAL_LENGTH = 1 << 20;

export class ShaderModuleHandlers extends GPUShaderModuleHandlers {
  readonly #connection: HostConnection;

  constructor(connection: HostConnection) {
    super();
    this.#connection = connection;
  }

  override async getCompilationInfo(target: api.GPUShaderModule): Promise<VesperCompilationInfoValue> {
    const { messages } = await target.getCompilationInfo();
    const sent: VesperCompilationInfoValue['messages'][number][] = [];
    let total = 0;
    for (const { message, type, lineNum, linePos, offset, length } of messages) {
      total += Math.min(message.length, MAX_MESSAGE_LENGTH);
      if (sent.length === MAX_MESSAGES || total > MAX_TOTAL_LENGTH) break;
      const told = cutMessage(this.#connection.view.ofMessage(message));
      sent.push({ message: told, type, lineNum, linePos, offset, length });
    }
    return { messages: sent };
  }
}
