import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import type { Launcher, RunLimits, RunOutcome } from "../../transcoder/launcher.ts";
import { findMemoryGroups } from "../../transcoder/memory-group.ts";
import { readProcess } from "../../transcoder/process-tree.ts";
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
const hasMemoryGroups = (await findMemoryGroups(null)) !== null;
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
  assert.equal(contained.state.sandboxed, true);
  assert.match(contained.state.detail, /^contained; system calls filtered; memory (counted|limited) /);
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

test("an encode's session weighs no more than its niceness says", async (t) => {
  if (!existsSync("/proc/self/autogroup")) return t.skip("the kernel does not group by session");
  for (const [way, launcher] of ways()) {
    const seen: string[] = [];
    const stop = new AbortController();
    const looks: Promise<void>[] = [];
    const look = async (): Promise<void> => {
      for (const pid of await descendants(process.pid)) {
        if (readProcess(pid)?.name !== "ffmpeg") continue;
        seen.push((await readFile(`/proc/${pid}/autogroup`, "utf8")).trim());
      }
      if (seen.at(-1)?.endsWith(" nice 7")) stop.abort();
    };
    await launcher.run({
      ...{
        program: "ffmpeg",
        args: FOREVER,
        limits: LIMITS,
        niceness: 7,
        signal: stop.signal,
      },
      // Two a second, until it is so: the kernel may refuse the first wishes.
      onProgress: () => looks.push(look().catch(() => undefined)),
    });
    await Promise.all(looks);
    assert.match(seen.at(-1) ?? "", /^\/autogroup-\d+ nice 7$/, `${way}: ${seen.join(", ")}`);
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
  if (/by control group/.test(contained.state.detail)) {
    const held = ["-f", "lavfi", "-i", "testsrc2=s=1920x1080", "-c:v", "libx264", "-f", "null", "-"];
    table.push(["memory", { ...LIMITS, residentBytes: 80 * 2 ** 20 }, ["-nostdin", "-v", "error", ...held]]);
  }
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
    "#!/bin/bash\n[ \"$1\" = -nostdin ] || exit 0\ntrap '' TERM\nwhile :; do read -t 1 <> <(:); done\n",
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

test("T04 an endless playlist leaves its slot at the limit: fifty in a row, and no process stays", async () => {
  const folder = await mkdtemp(join(tmpdir(), "matinee-endless-"));
  await copyFile(await bars({ seconds: 1, extension: "ts" }), join(folder, "s.ts"));
  const playlist = join(folder, "noendlist.mp4");
  await writeFile(playlist, "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/out/s.ts\n");
  // As if every whitelist had failed.
  const open = ["-protocol_whitelist", "file,crypto,data", "-allowed_extensions", "ALL", "-f", "hls"];
  const endless = async (launcher: Launcher): Promise<void> => {
    const run = await launcher.run({
      program: "ffmpeg",
      args: ["-nostdin", "-v", "error", ...open, "-i", "/in/source", "-f", "null", "-"],
      source: playlist,
      outputDirectory: folder,
      limits: { ...LIMITS, wallSeconds: 1 },
    });
    assert.deepEqual([run.ending, run.limit], ["limit", "wall"], run.stderrTail);
  };
  const before = new Set(await descendants(process.pid));
  for (let batch = 0; batch < 5; batch++)
    await Promise.all(Array.from({ length: 10 }, () => endless(contained)));
  assert.deepEqual(
    (await descendants(process.pid)).filter((pid) => !before.has(pid)),
    [],
  );
  await rm(folder, { recursive: true });
});

test("F23 a run killed for want of memory is named, passes in a larger class, and harms no neighbour", {
  skip: hasMemoryGroups ? false : "no control group can be made here",
}, async () => {
  const encode = (limits: Partial<RunLimits>): Promise<RunOutcome> =>
    contained.run({
      program: "ffmpeg",
      args: [
        ...["-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=1920x1080:d=1"],
        ...["-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", "-f", "null", "-"],
      ],
      limits: { ...LIMITS, ...limits },
    });
  const small = 48 * 2 ** 20;
  const [neighbour, ...killed] = await Promise.all([
    encode({}),
    ...Array.from({ length: 3 }, () => encode({ residentBytes: small })),
  ]);
  assert.deepEqual([neighbour.ending, neighbour.exitCode], ["exited", 0], neighbour.stderrTail);
  for (const run of killed) assert.deepEqual([run.ending, run.limit], ["limit", "memory"]);
  const larger = await encode({ residentBytes: small, memoryClass: 3 });
  assert.deepEqual([larger.ending, larger.exitCode], ["exited", 0], larger.stderrTail);
  assert.ok(larger.peakMemoryBytes! > small && larger.peakMemoryBytes! <= 8 * small);
});

test("T05 from inside: no service answers, no secret shows, no process of others is seen", async () => {
  const script = join(out, "inside");
  const addresses = [
    process.env.MATINEE_MONGO_URL,
    process.env.MATINEE_REDIS_URL,
    process.env.MATINEE_S3_ENDPOINT,
  ]
    .flatMap((url) => (url === undefined ? [] : [new URL(url).host.replace(":", "/")]))
    .concat("169.254.169.254/80");
  assert.equal(addresses.length, 4, "the services of the test run are known");
  await writeFile(
    script,
    `#!/bin/bash
[ $# -gt 0 ] && exit 0
for place in ${addresses.join(" ")}; do (exec 3<>"/dev/tcp/$place") 2>/dev/null && echo "reached $place"; done
tr '\\0' '\\n' < /proc/self/environ
for status in /proc/[0-9]*/cmdline; do tr '\\0' ' ' < $status; echo; done
for place in /in/x /in/source /usr/x /x /tmp/x /dev/shm/x /proc/x /etc/x; do (echo x > $place) 2>/dev/null && echo "wrote $place"; done
echo end
`,
    { mode: 0o755 },
  );
  process.env.MATINEE_S3_SECRET_CANARY = "canary-secret";
  const launcher = await launcherForTest({ ffmpegPath: script });
  const run = await launcher.run({
    program: "ffmpeg",
    args: [],
    source: await bars({ seconds: 1 }),
    outputDirectory: out,
    limits: LIMITS,
  });
  delete process.env.MATINEE_S3_SECRET_CANARY;
  assert.match(run.stdout, /end\n$/, run.stderrTail);
  assert.doesNotMatch(run.stdout, /reached|wrote|canary|SECRET|node|redis|mongo/i);
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
