import { launcherForTest } from "./launcher.ts";

/** A process that starts an endless ffmpeg and kills itself so many milliseconds later: `$1` folder, `$2` delay. */
const launcher = await launcherForTest();
const run = launcher.run({
  program: "ffmpeg",
  args: ["-v", "error", "-re", "-f", "lavfi", "-i", "color=s=64x64:r=10", "-f", "null", "-"],
  outputDirectory: process.argv[2]!,
  limits: { wallSeconds: 60, cpuSeconds: 60, outputBytes: 0 },
});
setTimeout(() => process.kill(process.pid, "SIGKILL"), Number(process.argv[3]));
await run;
