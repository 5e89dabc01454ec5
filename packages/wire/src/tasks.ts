/**
 * Runs functions in order, each in a task of its own, so that the promise reactions of one run before the next:
 * a program that awaits a reply sees the world as it was when that reply came.
 */
export class TaskQueue {
  #waiting: (() => void)[] = [];
  /** How many of them have run: taking them from the front of a long array one by one would move the rest each time. */
  #done = 0;
  #scheduled = false;
  /** A task has run within the current task, and its promise reactions have not. */
  #occupied = false;
  readonly #next = (): void => {
    this.#scheduled = false;
    const task = this.#waiting[this.#done++];
    if (this.#done < this.#waiting.length) {
      this.#schedule();
    } else {
      this.#waiting = [];
      this.#done = 0;
    }
    task?.();
  };

  /** Runs `task` behind those that wait. */
  push(task: () => void): void {
    this.#waiting.push(task);
    if (!this.#scheduled) this.#schedule();
  }

  /** Runs `task` now when nothing waits before it and no other was run so within the caller's task. */
  runOrPush(task: () => void): void {
    if (this.#scheduled || this.#occupied) {
      this.push(task);
      return;
    }
    this.#occupied = true;
    queueMicrotask(this.#vacate);
    task();
  }

  readonly #vacate = (): void => {
    this.#occupied = false;
  };

  #schedule(): void {
    this.#scheduled = true;
    scheduleTask(this.#next);
  }
}

type ScheduleTask = (task: () => void) => void;

const scheduleTask: ScheduleTask =
  typeof setImmediate === 'function'
    ? (task) => void setImmediate(task)
    : (() => {
        const channel = new MessageChannel();
        const tasks: (() => void)[] = [];
        (channel.port1 as { onmessage?: () => void }).onmessage = () => tasks.shift()?.();
        return (task) => {
          tasks.push(task);
          channel.port2.postMessage(null);
        };
      })();
