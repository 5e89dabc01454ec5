/**
 * `vesper generate` and `vesper check`, which belong to the generator; it is loaded for these alone, as no host needs it.
 * @returns the exit status
 */
export async function runGenerator(command: 'generate' | 'check', args: readonly string[]): Promise<number> {
  const { main } = await import('@vesper-gpu/codegen');
  try {
    return await main([command, ...args]);
  } catch (error) {
    // What node's parseArgs throws: its messages are for users.
    if (!(error instanceof TypeError) || !('code' in error) || !String(error.code).startsWith('ERR_PARSE_ARGS'))
      throw error;
    console.error(`vesper ${command}: ${error.message}`);
    return 2;
  }
}
