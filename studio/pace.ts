const RATE_WINDOW_MS = 5_000;

/** Bytes per second over the last few seconds; 0 until there is something to measure. */
export function openRateMeter(nowMs: () => number): (bytesSoFar: number) => number {
  const samples: { at: number; bytes: number }[] = [];
  return (bytes) => {
    const at = nowMs();
    samples.push({ at, bytes });
    while (samples.length > 2 && at - (samples[0]?.at ?? at) > RATE_WINDOW_MS) samples.shift();
    const [first] = samples;
    if (first === undefined || at === first.at) return 0;
    return Math.max(0, ((bytes - first.bytes) * 1000) / (at - first.at));
  };
}

/** Bytes as people say them, with the point of that language. */
export function formatBytes(bytes: number, language = "en"): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const digits = power === 0 ? 0 : 1;
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: false };
  return `${new Intl.NumberFormat(language, options).format(bytes / 1024 ** power)} ${units[power]}`;
}

/** Seconds as "1:05" or "1:02:05". */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3_600), Math.floor((whole % 3_600) / 60)];
  const tail = `${String(whole % 60).padStart(2, "0")}`;
  return hours === 0 ? `${minutes}:${tail}` : `${hours}:${String(minutes).padStart(2, "0")}:${tail}`;
}
