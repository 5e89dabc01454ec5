import { GPUObjectBaseHandlers } from '@vesper-gpu/protocol/host';

export class ObjectBaseHandlers extends GPUObjectBaseHandlers {
  override label(target: { label: string }, label: string): void {
    target.label = label;
  }
}
