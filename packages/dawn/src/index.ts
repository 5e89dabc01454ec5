/**
 * The default backend: Dawn for Node, and the choice of the driver that it runs on. The only package that imports the
 * npm package webgpu. Importing this entry point loads Dawn; `./driver` and `./doctor` are for processes that only
 * choose, such as a broker.
 */
export { chooseDriver } from './driver.ts';
export { type DoctorReport, inspect } from './doctor.ts';
export { DriverError, type DriverErrorCode } from './errors.ts';
export { type DawnGlobals, dawnGlobals, openGPU, type OpenGPUOptions } from './gpu.ts';
export type { AdapterReport, ProbeReport } from './probe.ts';
export { adapterName, type DriverChoice, type DriverKind } from './select.ts';
export type { Environment } from './system.ts';
