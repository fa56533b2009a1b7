import { formatBytes, formatClock } from "../pace.ts";

const BAR_CELLS = 24;
/** Without a terminal: a line at every such step of the way. */
const PLAIN_STEP = 0.25;

/** One task's progress on a stream: a redrawn line on a terminal, sparse plain lines elsewhere. */
export interface ProgressLine {
  update(label: string, ratio: number, detail: string): void;
  /** Ends the line with what came of it. */
  finish(text: string): void;
}

export function openProgressLine(stream: NodeJS.WriteStream): ProgressLine {
  let lastLabel = "";
  let lastStep = -1;
  const clear = () => stream.isTTY && stream.write("\r\u001b[2K");
  return {
    update(label, ratio, detail) {
      const percent = `${Math.floor(ratio * 100)} %`;
      if (stream.isTTY) {
        const line = `${label.padEnd(10)} ${barText(ratio)} ${percent.padStart(5)}  ${detail}`;
        clear();
        stream.write(line.slice(0, Math.max(20, (stream.columns ?? 80) - 1)));
        return;
      }
      const step = Math.floor(ratio / PLAIN_STEP);
      if (label === lastLabel && step <= lastStep) return;
      lastLabel = label;
      lastStep = step;
      stream.write(`${[label, percent, detail].filter((part) => part !== "").join("  ")}\n`);
    },
    finish(text) {
      clear();
      stream.write(`${text}\n`);
    },
  };
}

function barText(ratio: number): string {
  const full = Math.round(Math.min(1, Math.max(0, ratio)) * BAR_CELLS);
  return "█".repeat(full) + "░".repeat(BAR_CELLS - full);
}

/** Rate and time left, as "12.0 MiB/s, 1:05 left". */
export function formatPace(bytesPerSecond: number, bytesLeft: number): string {
  if (bytesPerSecond <= 0) return "";
  return `${formatBytes(bytesPerSecond)}/s, ${formatClock(bytesLeft / bytesPerSecond)} left`;
}
