import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBroker, type Broker, type BrokerOptions, type ListenAddress } from './broker.ts';

/** A broker that only those find who are told. */
export interface PrivateBroker extends Broker {
  /** Its address: a Unix socket in a folder that only this user may enter. */
  readonly address: string;
}

/** Longest folder that leaves room for a socket's name: the path of one takes at most 103 bytes. */
const MAX_FOLDER_BYTES = 70;

/**
 * Starts a broker on a Unix socket in a fresh folder (mode 0700), which goes with it.
 * @throws as startBroker() does
 */
export async function startPrivateBroker(
  options: Omit<BrokerOptions, 'listen'> & Pick<ListenAddress, 'policy'>,
): Promise<PrivateBroker> {
  const parent = Buffer.byteLength(tmpdir()) <= MAX_FOLDER_BYTES ? tmpdir() : '/tmp';
  const folder = mkdtempSync(join(parent, 'vesper-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  // Also when this process ends in a hurry.
  process.once('exit', remove);
  const cleanUp = (): void => {
    process.off('exit', remove);
    remove();
  };
  const address = `unix:${join(folder, 'gpu')}`;
  try {
    const broker = await startBroker({
      ...options,
      listen: [options.policy === undefined ? address : { address, policy: options.policy }],
    });
    const close = async (): Promise<void> => {
      await broker.close();
      cleanUp();
    };
    return {
      address,
      addresses: broker.addresses,
      driver: broker.driver,
      finished: broker.finished,
      metricsAddress: broker.metricsAddress,
      get guestCount() {
        return broker.guestCount;
      },
      close,
    };
  } catch (error) {
    cleanUp();
    throw error;
  }
}
