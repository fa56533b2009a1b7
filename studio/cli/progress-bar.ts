const BAR_CELLS = 24;
/** Without a terminal: a line at every such step of the way. */
const PLAIN_STEP = 0.25;
const RATE_WINDOW_MS = 5_000;

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

/** Bytes per second over the last few seconds; 0 until there is something to measure. */
export function openRateMeter(now: () => number): (bytesSoFar: number) => number {
  const samples: { at: number; bytes: number }[] = [];
  return (bytes) => {
    const at = now();
    samples.push({ at, bytes });
    while (samples.length > 2 && at - (samples[0]?.at ?? at) > RATE_WINDOW_MS) samples.shift();
    const [first] = samples;
    if (first === undefined || at === first.at) return 0;
    return Math.max(0, ((bytes - first.bytes) * 1000) / (at - first.at));
  };
}

export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** Rate and time left, as "12.0 MiB/s, 1:05 left". */
export function formatPace(bytesPerSecond: number, bytesLeft: number): string {
  if (bytesPerSecond <= 0) return "";
  const seconds = Math.ceil(bytesLeft / bytesPerSecond);
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  return `${formatBytes(bytesPerSecond)}/s, ${clock} left`;
}
