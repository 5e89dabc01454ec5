import type { api } from '@vesper-gpu/protocol/host';
import { ErrorScopes } from './error-scopes.ts';
import { InvalidObjects } from './invalid-objects.ts';

/** What the host keeps beside a device of the backend. */
export class DeviceState {
  readonly id: number;
  readonly device: api.GPUDevice;
  /** Held so that it is not collected: Dawn for Node crashes when an adapter is, while its device lives. */
  readonly adapter: api.GPUAdapter;
  readonly scopes = new ErrorScopes();
  readonly invalid: InvalidObjects;
  isLost = false;
  /** How many ids stand for the device, its queue and its objects: at 0 the guest cannot reach it any more. */
  objectCount = 0;

  constructor(id: number, device: api.GPUDevice, adapter: api.GPUAdapter) {
    this.id = id;
    this.device = device;
    this.adapter = adapter;
    this.invalid = new InvalidObjects(device);
  }
}
