/** How often, in milliseconds, the rest is told. */
const INTERVAL_MS = 1000;

/**
 * Says what strangers can cause any number of times, without letting them fill a disk: the first at once, of those that
 * come within the next second the last one, with their number.
 * @param say `more`: how many others there were
 */
export function sparingly(say: (text: string, more: number) => void): (text: string) => void {
  let last: string | undefined;
  let count = 0;
  let timer: NodeJS.Timeout | undefined;
  const tell = (): void => {
    timer = undefined;
    if (last === undefined) return;
    const [text, more] = [last, count - 1];
    last = undefined;
    count = 0;
    timer = setTimeout(tell, INTERVAL_MS).unref();
    say(text, more);
  };
  return (text) => {
    last = text;
    count++;
    if (timer === undefined) tell();
  };
}
