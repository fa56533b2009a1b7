import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { ownCpuSeconds } from "./cpu.ts";

const run = promisify(execFile);

/** What wrk prints at its end: one line of JSON. */
const REPORT = `
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"bytes":%d,"errors":%d,"p50Ms":%f,"p95Ms":%f,"p99Ms":%f}', summary.requests,
    summary.bytes, e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50) / 1000,
    latency:percentile(95) / 1000, latency:percentile(99) / 1000))
end
`;

export interface Load {
  requests: number;
  bytes: number;
  errors: number;
  /** Of the server's own processes. */
  cpuSeconds: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
}

/**
 * wrk against one origin, by a script that it finds in `folder`; answers with a status of 400 and above count as errors.
 */
export async function load(
  origin: string,
  script: string,
  how: { folder: string; connections: number; seconds: number; pids?: readonly number[] },
): Promise<Load> {
  const { folder, connections, seconds, pids = [] } = how;
  const path = join(folder, "load.lua");
  await writeFile(path, script + REPORT);
  const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "20s", "-s", path, origin];
  const used = () => pids.reduce((sum, pid) => sum + ownCpuSeconds(pid), 0);
  const before = used();
  const { stdout } = await run("wrk", args);
  const counted = JSON.parse(stdout.slice(stdout.lastIndexOf("{"))) as Omit<Load, "cpuSeconds">;
  return { ...counted, cpuSeconds: used() - before };
}
