import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { refusedCalls, seccompFilter } from "../../transcoder/seccomp.ts";
import { launcherForTest } from "../rig/launcher.ts";

const ALLOW = "allow";
const KILL = "kill";
const EPERM = 1;
const ENOSYS = 38;
/** Of each architecture: its AUDIT_ARCH, and calls that every program makes. */
const MACHINES = {
  x64: { audit: 0xc000003e, clone: 56, clone3: 435, ioctl: 16, common: [0, 1, 9, 59, 202, 231, 257] },
  arm64: { audit: 0xc00000b7, clone: 220, clone3: 435, ioctl: 29, common: [56, 63, 64, 98, 221, 222] },
} as const;

interface Call {
  number: number;
  audit: number;
  firstArgument?: number;
  secondArgument?: number;
}

/** Runs the filter as the kernel does (seccomp(2), linux/filter.h): `allow`, `kill` or the error's number. */
function verdictOf(filter: Uint8Array, call: Call): number | typeof ALLOW | typeof KILL {
  const view = new DataView(filter.buffer, filter.byteOffset);
  const data = new Map([
    [0, call.number],
    [4, call.audit],
    [16, call.firstArgument ?? 0],
    [24, call.secondArgument ?? 0],
  ]);
  let loaded = 0;
  for (let at = 0; at < filter.length; at += 8) {
    const code = view.getUint16(at, true);
    const value = view.getUint32(at + 4, true);
    const jump = (holds: boolean): void => {
      at += 8 * view.getUint8(at + (holds ? 2 : 3));
    };
    if (code === 0x20) loaded = data.get(value)! >>> 0;
    else if (code === 0x15) jump(loaded === value);
    else if (code === 0x35) jump(loaded >= value);
    else if (code === 0x45) jump((loaded & value) !== 0);
    else if (value === 0x7fff0000) return ALLOW;
    else if (value === 0x80000000) return KILL;
    else return value & 0xffff;
  }
  throw new Error("the program runs off its end");
}

for (const [name, machine] of Object.entries(MACHINES)) {
  const filter = seccompFilter(name)!;
  const { audit, clone, clone3, ioctl } = machine;
  test(`T05 the filter for ${name}: what is refused, what passes, and no way round it`, () => {
    const refused = refusedCalls(name);
    assert.ok(refused.size > 50);
    assert.equal(new Set(refused.values()).size, refused.size, "no number twice");
    for (const [call, number] of refused) assert.equal(verdictOf(filter, { number, audit }), EPERM, call);
    for (const number of machine.common) assert.equal(verdictOf(filter, { number, audit }), ALLOW);
    assert.equal(verdictOf(filter, { number: clone3, audit }), ENOSYS);
    // Threads are made; a user namespace is not.
    assert.equal(verdictOf(filter, { number: clone, audit, firstArgument: 0x3d0f00 }), ALLOW);
    assert.equal(verdictOf(filter, { number: clone, audit, firstArgument: 0x10000011 }), EPERM);
    assert.equal(verdictOf(filter, { number: ioctl, audit, secondArgument: 0x5401 }), ALLOW);
    assert.equal(verdictOf(filter, { number: ioctl, audit, secondArgument: 0x5412 }), EPERM);
    // The numbers of another mode of the processor mean other calls.
    fc.assert(
      fc.property(
        fc.nat(500),
        fc.constantFrom(0x40000003, 0xc00000b7, 0xc000003e, 0x40000028),
        (number, other) => {
          if (other !== audit) assert.equal(verdictOf(filter, { number, audit: other }), KILL);
          if (name === "x64") assert.equal(verdictOf(filter, { number: number + 0x40000000, audit }), ENOSYS);
          const verdict = verdictOf(filter, { number, audit });
          const special = [...refused.values(), clone3].includes(number);
          assert.equal(verdict !== ALLOW, special, `${number}`);
        },
      ),
      { numRuns: 2_000 },
    );
  });
}

test("an architecture whose numbers are unknown has no filter", () => {
  assert.equal(seccompFilter("riscv64"), null);
});

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "matinee-seccomp-test-"));
});
after(() => rm(folder, { recursive: true, force: true }));

test("T05 the kernel obeys the filter inside the sandbox: every refused call fails, work goes on", async () => {
  const calls = [...refusedCalls(process.arch)].map(([name, number]) => `${name}=${number}`);
  const script = join(folder, "calls");
  await writeFile(
    script,
    `#!/usr/bin/perl
exit 0 if grep { /^-/ } @ARGV;
for (@ARGV) { my ($name, $number) = split /=/; $! = 0; my $got = syscall($number + 0, 0, 0, 0, 0, 0, 0); print "$name ", $got == -1 ? $! + 0 : "done", "\\n"; }
my $child = fork; exit 7 if $child == 0; waitpid $child, 0; print "child ", $? >> 8, "\\n";
`,
    { mode: 0o755 },
  );
  const launcher = await launcherForTest({ ffmpegPath: script });
  assert.match(launcher.state.detail, /system calls filtered/);
  const run = await launcher.run({
    program: "ffmpeg",
    args: [...calls, "clone3=435"],
    limits: { wallSeconds: 60, cpuSeconds: 20, outputBytes: 0 },
  });
  const answers = run.stdout.trim().split("\n");
  assert.deepEqual(
    answers.filter((line) => !line.endsWith(` ${EPERM}`)),
    [`clone3 ${ENOSYS}`, "child 7"],
    run.stderrTail,
  );
  assert.equal(answers.length, calls.length + 2);
});
