// In a page: tells who opened it what came of it.

/**
 * Reports what `work` resolves with, or why it does not.
 *
 * @param {() => Promise<unknown>} work
 */
export async function report(work) {
  /** @type {{ value?: unknown, error?: string }} */
  let outcome;
  try {
    outcome = { value: await work() };
  } catch (error) {
    outcome = { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  await fetch('/report', { method: 'POST', body: JSON.stringify(outcome) });
}
