import { existsSync, lstatSync, readlinkSync, realpathSync } from "node:fs";
import { dirname } from "node:path";
import { timed } from "./process-group.ts";

/**
 * How an untrusted-media process is wrapped. Inside, the master is `/in/source` (read only), `/out` is the one
 * writable place, there is no network, no environment, no capability and no other process (RELIABILITY §4.11).
 */

export const SOURCE_PATH = "/in/source";
export const OUT_PATH = "/out";
/** Inside, where only `/usr` is sure to be. */
export const BASH_PATH = "/usr/bin/bash";

export interface Wrapping {
  programPath: string;
  args: readonly string[];
  sourceFile: string | undefined;
  outputDirectory: string | undefined;
  /** Device files that it may use: of an encoder in hardware. */
  devices: readonly string[];
}

/** The contained way to start a program, as the self-test found it to work on this machine. */
export interface Sandbox {
  bwrapPath: string;
  /** null where the system has no prlimit in `/usr`: processes inside are then not counted. */
  prlimitPath: string | null;
  /** bubblewrap ≥ 0.8 can forbid further user namespaces, the usual door to kernel defects. */
  canDisableUserNamespaces: boolean;
  /** The filter of system calls; null where there is none for this machine, which readiness says. */
  systemCallFilter: Uint8Array | null;
}

/** Where a command finds its prelude (process-group.ts): descriptors 0 to 3 have their uses. */
const PRELUDE_DESCRIPTOR = 4;

/** Threads and processes inside one sandbox: room for any encoder, none for a fork bomb. */
const MOST_PROCESSES = 256;

/** The bubblewrap command line for one run. */
export function bubblewrapArgv(sandbox: Sandbox, wrapping: Wrapping): string[] {
  const { programPath, args, sourceFile, outputDirectory } = wrapping;
  return [
    sandbox.bwrapPath,
    // Own user, pid, network, ipc, uts and cgroup namespaces: loopback is not even up.
    ...["--unshare-all", "--unshare-user"],
    ...(sandbox.canDisableUserNamespaces ? ["--disable-userns"] : []),
    // A worker killed with -9 takes its encoders with it.
    "--die-with-parent",
    // No terminal to inject keystrokes into (CVE-2017-5226).
    "--new-session",
    // Applied last, by bubblewrap itself: what runs inside cannot take it off.
    ...(sandbox.systemCallFilter === null ? [] : ["--seccomp", String(PRELUDE_DESCRIPTOR)]),
    ...["--cap-drop", "ALL", "--uid", "65534", "--gid", "65534", "--clearenv"],
    ...["--ro-bind", "/usr", "/usr", ...systemFolders(), ...programFolder(programPath)],
    ...["--proc", "/proc", "--dev", "/dev"],
    ...wrapping.devices.flatMap((device) => ["--dev-bind", device, device]),
    ...(sourceFile === undefined ? [] : ["--ro-bind", sourceFile, SOURCE_PATH]),
    ...(outputDirectory === undefined ? [] : ["--bind", outputDirectory, OUT_PATH, "--chdir", OUT_PATH]),
    // Last, since it would stop the mounts above: the root and /dev (with /dev/shm) are memory, which nobody counts.
    ...["--remount-ro", "/dev", "--remount-ro", "/"],
    "--",
    // Inside, so that only this sandbox's processes count and not all of the worker's user.
    ...(sandbox.prlimitPath === null ? [] : [sandbox.prlimitPath, `--nproc=${MOST_PROCESSES}`, "--"]),
    ...timed(BASH_PATH, [programPath, ...args]),
  ];
}

/** `/lib` and friends, as links into `/usr` where the system has merged them, and what Debian links libraries through. */
function systemFolders(): string[] {
  const folders = ["/bin", "/sbin", "/lib", "/lib32", "/lib64"].flatMap((folder) => {
    if (!existsSync(folder)) return [];
    return lstatSync(folder).isSymbolicLink()
      ? ["--symlink", readlinkSync(folder), folder]
      : ["--ro-bind", folder, folder];
  });
  const extras = ["/etc/alternatives", "/etc/ld.so.cache"].flatMap((path) =>
    existsSync(path) ? ["--ro-bind", path, path] : [],
  );
  return [...folders, ...extras];
}

/** The folder of a program that the system's folders do not hold, and of what it is a link to. */
function programFolder(programPath: string): string[] {
  const folders = new Set([dirname(programPath), dirname(realpathSync(programPath))]);
  return [...folders].flatMap((folder) =>
    /^\/(usr|bin|sbin)(\/|$)/.test(folder) ? [] : ["--ro-bind", folder, folder],
  );
}

/** The same run without a sandbox: the sandbox's paths become real ones. Only where bubblewrap is not to be had. */
export function bareArgv(setprivPath: string | null, wrapping: Wrapping): string[] {
  const real = (argument: string): string => {
    if (argument === SOURCE_PATH && wrapping.sourceFile !== undefined) return wrapping.sourceFile;
    if (argument.startsWith(`${OUT_PATH}/`) && wrapping.outputDirectory !== undefined) {
      return wrapping.outputDirectory + argument.slice(OUT_PATH.length);
    }
    return argument;
  };
  // The kernel forgets the wish to die with one's parent at a fork, so the program itself must state it.
  const withParent = setprivPath === null ? [] : [setprivPath, "--no-new-privs", "--pdeathsig", "KILL", "--"];
  return timed("bash", [...withParent, wrapping.programPath, ...wrapping.args.map(real)]);
}
