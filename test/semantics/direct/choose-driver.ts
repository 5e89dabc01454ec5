import { chooseDriver } from '@vesper-gpu/dawn/driver';

/** The loader of shared libraries reads its variables when a process starts: they are set before vitest starts its own. */
export default async function setup(): Promise<void> {
  Object.assign(process.env, (await chooseDriver()).environment);
}
