import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import type { Launcher, RunLimits, RunOutcome } from "../../transcoder/launcher.ts";
import { launcherForTest } from "../rig/launcher.ts";
import { bars } from "../rig/odd-media.ts";
import { descendants, namedIn, untilGone } from "../rig/process-tree.ts";

const LIMITS: RunLimits = { wallSeconds: 60, cpuSeconds: 60, outputBytes: 64 * 2 ** 20 };
/** Ends only when it is ended. */
const ENDLESS = ["-nostdin", "-v", "error", "-re", "-f", "lavfi", "-i", "color=s=64x64:r=10"];
const FOREVER = [...ENDLESS, "-f", "null", "-"];

let contained: Launcher;
let bare: Launcher;
let out: string;
before(async () => {
  contained = await launcherForTest();
  bare = await launcherForTest({ bwrapPath: null });
  out = await mkdtemp(join(tmpdir(), "matinee-launcher-test-"));
});
after(() => rm(out, { recursive: true, force: true }));

/** Both ways to run: in the sandbox, and on a machine that has none. */
const ways = (): [string, Launcher][] => [
  ["contained", contained],
  ["bare", bare],
];

test("the self-test of the sandbox passes here, and its absence is said", () => {
  assert.deepEqual(contained.state, { sandboxed: true, detail: "contained" });
  assert.equal(bare.state.sandboxed, false);
  assert.match(contained.build, /^ffmpeg version \S+/);
});

test("a sandbox that does not hold is not used", async () => {
  const path = join(out, "no-sandbox");
  // Runs what follows the `--` in the open, and has no `--help`.
  await writeFile(
    path,
    '#!/bin/bash\n[ "$1" = --help ] && exit; while [ "$1" != -- ]; do shift; done; shift; exec "$@"\n',
    {
      mode: 0o755,
    },
  );
  const launcher = await launcherForTest({ bwrapPath: path });
  assert.equal(launcher.state.sandboxed, false);
  assert.match(launcher.state.detail, /network|writable|visible/);
});

test("an encode: outputs under /out, progress, CPU time, and the line that can be typed again", async () => {
  const source = await bars({ seconds: 2 });
  for (const [way, launcher] of ways()) {
    const frames: (number | null)[] = [];
    const run = await launcher.run({
      program: "ffmpeg",
      args: ["-nostdin", "-v", "error", "-y", "-i", "/in/source", "-c:v", "libx264", "/out/made.mp4"],
      source,
      outputDirectory: out,
      limits: LIMITS,
      onProgress: ({ frame }) => frames.push(frame),
    });
    assert.deepEqual([run.ending, run.limit, run.exitCode], ["exited", null, 0], `${way}: ${run.stderrTail}`);
    assert.equal(frames.at(-1), 50, way);
    assert.ok(run.cpuSeconds > 0.05, `${way}: ${run.cpuSeconds} CPU seconds`);
    assert.ok((await readFile(join(out, "made.mp4"))).length > 10_000);
    assert.deepEqual(run.argv[0], "ffmpeg");
    assert.match(run.shellLine, way === "bare" ? /made\.mp4/ : /bwrap .*--unshare-all/);
  }
});

test("T02 T05 T13 from inside nothing else can be read, written or reached", async () => {
  const planted = await bars({ seconds: 1 });
  const read = (path: string): Promise<RunOutcome> =>
    contained.run({
      program: "ffmpeg",
      args: ["-nostdin", "-v", "error", "-i", path, "-f", "null", "-"],
      source: planted,
      outputDirectory: out,
      limits: LIMITS,
    });
  assert.equal((await read("/in/source")).exitCode, 0);
  for (const path of [planted, resolve("package.json"), "/etc/passwd", "/proc/1/root/etc/passwd"]) {
    assert.match((await read(path)).stderrTail, /No such file|Permission denied/, path);
  }
  const write = (target: string, source: readonly string[]): Promise<RunOutcome> =>
    contained.run({
      program: "ffmpeg",
      args: ["-nostdin", "-v", "error", "-y", ...source, target],
      source: planted,
      outputDirectory: out,
      limits: LIMITS,
    });
  const picture = ["-f", "lavfi", "-i", "color=d=0.1:s=64x64", "-f", "mp4"];
  assert.equal((await write("/out/x.mp4", picture)).exitCode, 0);
  const targets = ["/usr/x", "/tmp/x", "/dev/shm/x", "/dev/x", "/x", "/in/x", "/in/source", "/out/../x"];
  for (const target of targets) {
    const run = await write(target, picture);
    assert.match(run.stderrTail, /Read-only file system|No such file|Permission denied/, target);
  }
  process.env.MATINEE_CANARY = "secret";
  const copied = await write("/out/environ", [
    "-f",
    "data",
    "-i",
    "/proc/self/environ",
    "-map",
    "0",
    "-f",
    "data",
  ]);
  delete process.env.MATINEE_CANARY;
  assert.equal(copied.exitCode, 0, copied.stderrTail);
  const names = (await readFile(join(out, "environ"), "utf8")).split("\0").map((one) => one.split("=")[0]);
  assert.deepEqual(
    names.sort(),
    ["", "OLDPWD", "PWD", "SHLVL", "_"].filter((name) => names.includes(name)),
  );
});

test("limits end a run and are named", async () => {
  const lavfi = ["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=s=1920x1080"];
  const raw = ["-c:v", "rawvideo", "-f", "rawvideo", "/out/raw"];
  const table: [string, RunLimits, string[]][] = [
    ["wall", { ...LIMITS, wallSeconds: 0.5 }, FOREVER],
    ["cpu", { ...LIMITS, cpuSeconds: 1 }, [...lavfi, "-f", "null", "-"]],
    ["output", { ...LIMITS, outputBytes: 2 ** 20 }, [...lavfi, ...raw]],
    ["memory", { ...LIMITS, memoryBytes: 400 * 2 ** 20 }, [...lavfi, "-c:v", "libx264", "-f", "null", "-"]],
  ];
  for (const [way, launcher] of ways())
    for (const [limit, limits, args] of table) {
      const request = { program: "ffmpeg" as const, args, outputDirectory: out, limits, niceness: 0 };
      const run = await launcher.run(request);
      assert.deepEqual(
        [run.ending, run.limit],
        ["limit", limit],
        `${way} ${limit}: ${run.exitCode} ${run.stderrTail}`,
      );
    }
});

test("an abort ends the whole tree before the promise settles; T04 also of what ignores the first TERM", async () => {
  const stubborn = join(out, "stubborn");
  await writeFile(
    stubborn,
    "#!/bin/bash\n[ \"$2\" = -version ] && exit 0\ntrap '' TERM\nwhile :; do read -t 1 <> <(:); done\n",
    {
      mode: 0o755,
    },
  );
  const others = [
    ["contained and stubborn", await launcherForTest({ ffmpegPath: stubborn })],
    ["bare and stubborn", await launcherForTest({ ffmpegPath: stubborn, bwrapPath: null })],
    // As on a system whose kernel ends nobody with its parent: only the last step of the ladder helps.
    [
      "alone and stubborn",
      await launcherForTest({ ffmpegPath: stubborn, bwrapPath: null, setprivPath: null }),
    ],
  ] as [string, Launcher][];
  for (const [way, launcher] of [...ways(), ...others]) {
    const before = new Set(await descendants(process.pid));
    const abort = new AbortController();
    const run = launcher.run({ program: "ffmpeg", args: FOREVER, limits: LIMITS, signal: abort.signal });
    await started(before);
    abort.abort();
    assert.equal((await run).ending, "aborted", way);
    const left = (await descendants(process.pid)).filter((pid) => !before.has(pid));
    assert.deepEqual(left, [], way);
  }
});

test("F02 ffmpeg killed by someone else is told from every other end", async () => {
  for (const [way, launcher] of ways()) {
    const before = new Set(await descendants(process.pid));
    const run = launcher.run({ program: "ffmpeg", args: FOREVER, limits: LIMITS });
    process.kill(await started(before), "SIGKILL");
    const { ending, limit } = await run;
    assert.deepEqual([ending, limit], ["killed", null], way);
  }
});

test("F03 a worker killed with -9 leaves no ffmpeg behind, sandbox or not", async () => {
  for (const way of ["contained", "bare"]) {
    const worker = spawn(process.execPath, [resolve("test/rig/endless-worker.ts"), way], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(worker.stdout, "data");
    const tree = await until(async () => {
      const pids = await descendants(worker.pid!);
      return (await anyRuns("ffmpeg", pids)) === null ? null : pids;
    });
    worker.kill("SIGKILL");
    await once(worker, "exit");
    await untilGone(tree);
  }
});

test("F03 nothing is left either where the worker dies while its sandbox is being set up", async () => {
  const folder = await mkdtemp(join(tmpdir(), "matinee-early-death-"));
  for (let delayMs = 0; delayMs <= 28; delayMs += 2) {
    const program = resolve("test/rig/short-lived-worker.ts");
    const worker = spawn(process.execPath, [program, folder, String(delayMs)], { stdio: "inherit" });
    await once(worker, "exit");
    await untilGone(await namedIn(folder));
  }
  await rm(folder, { recursive: true });
});

test("lines come as they are made and are not held; an attempt leaves nothing but its outputs", async () => {
  const directory = await mkdtemp(join(tmpdir(), "matinee-launcher-test-"));
  const lines: string[] = [];
  const run = await contained.run({
    program: "ffprobe",
    args: ["-v", "error", "-show_entries", "packet=pts_time", "-of", "csv=p=0", "/in/source"],
    source: await bars({ seconds: 2, audio: false }),
    outputDirectory: directory,
    limits: { ...LIMITS, outputBytes: 0 },
    onStdoutLine: (line) => lines.push(line),
  });
  assert.equal(run.exitCode, 0, run.stderrTail);
  assert.equal(lines.length, 50);
  assert.equal(run.stdout, "");
  assert.deepEqual(await readdir(directory), []);
  await rm(directory, { recursive: true });
});

/** The pid of the new ffmpeg (or what stands for it) under this process, once it runs. */
function started(before: ReadonlySet<number>): Promise<number> {
  return until(async () => {
    const fresh = (await descendants(process.pid)).filter((pid) => !before.has(pid));
    return anyRuns(/^(ffmpeg|stubborn)$/, fresh);
  });
}

async function anyRuns(name: string | RegExp, pids: readonly number[]): Promise<number | null> {
  for (const pid of pids) {
    const comm = (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")).trim();
    if (typeof name === "string" ? comm === name : name.test(comm)) return pid;
  }
  return null;
}

async function until<T>(look: () => Promise<T | null>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== null) return found;
  }
}
