import { launcherForTest } from "./launcher.ts";

/** A process with an ffmpeg that ends only when it is ended, to be killed by a test. `contained` or `bare`. */
const launcher = await launcherForTest(process.argv[2] === "bare" ? { bwrapPath: null } : {});
console.log("open");
await launcher.run({
  program: "ffmpeg",
  args: ["-nostdin", "-v", "error", "-re", "-f", "lavfi", "-i", "color=s=64x64:r=10", "-f", "null", "-"],
  limits: { wallSeconds: 60, cpuSeconds: 60, outputBytes: 0 },
});
