/** Errors whose message is all that a person needs: what is wrong and what to do. */
const EXPLAINED = new Set(['DriverError', 'ConnectionError', 'SwiftShaderError', 'PolicyError', 'AuditLogError']);

/** Text for an error that ends a command: the message where it explains itself, the stack where it is a defect. */
export function failureText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // By name: importing the class of DriverError would load the GPU driver.
  return EXPLAINED.has(error.name) ? error.message : (error.stack ?? error.message);
}
