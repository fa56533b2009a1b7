import { existsSync, lstatSync, readlinkSync } from "node:fs";
import { dirname } from "node:path";

/**
 * How an untrusted-media process is wrapped. Inside, the master is `/in/source` (read only), `/out` is the one
 * writable place, there is no network, no environment, no capability and no other process (RELIABILITY §4.11).
 */

export const SOURCE_PATH = "/in/source";
export const OUT_PATH = "/out";

export interface Wrapping {
  programPath: string;
  args: readonly string[];
  sourceFile: string | undefined;
  outputDirectory: string | undefined;
}

/** The bubblewrap command line for one run. */
export function bubblewrapArgv(bwrapPath: string, wrapping: Wrapping): string[] {
  const { programPath, args, sourceFile, outputDirectory } = wrapping;
  return [
    bwrapPath,
    // Own user, pid, network, ipc, uts and cgroup namespaces: loopback is not even up.
    "--unshare-all",
    // A worker killed with -9 takes its encoders with it.
    "--die-with-parent",
    // No reaper in between: its children's CPU time would never be handed up to whoever waits for it.
    "--as-pid-1",
    // No terminal to inject keystrokes into (CVE-2017-5226).
    "--new-session",
    ...["--cap-drop", "ALL", "--uid", "65534", "--gid", "65534", "--clearenv"],
    ...["--ro-bind", "/usr", "/usr", ...systemFolders(), ...programFolder(programPath)],
    ...["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"],
    ...(sourceFile === undefined ? [] : ["--ro-bind", sourceFile, SOURCE_PATH]),
    ...(outputDirectory === undefined ? [] : ["--bind", outputDirectory, OUT_PATH, "--chdir", OUT_PATH]),
    "--",
    programPath,
    ...args,
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

function programFolder(programPath: string): string[] {
  const folder = dirname(programPath);
  return folder.startsWith("/usr") || folder === "/bin" ? [] : ["--ro-bind", folder, folder];
}

/** The same run without a sandbox: the sandbox's paths become real ones. Only where bubblewrap is not to be had. */
export function bareArgv(wrapping: Wrapping): string[] {
  const real = (argument: string): string => {
    if (argument === SOURCE_PATH && wrapping.sourceFile !== undefined) return wrapping.sourceFile;
    if (argument.startsWith(`${OUT_PATH}/`) && wrapping.outputDirectory !== undefined) {
      return wrapping.outputDirectory + argument.slice(OUT_PATH.length);
    }
    return argument;
  };
  return [wrapping.programPath, ...wrapping.args.map(real)];
}

/**
 * A script of shell builtins for the self-test: each line fails loudly where the sandbox leaks. `$1` is a
 * port on which the host listens.
 */
export const SELF_TEST_SCRIPT = `
(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && { echo "the network is reachable"; exit 1; }
(echo x > /usr/matinee-self-test) 2>/dev/null && { echo "the system is writable"; exit 1; }
[ -e /home ] || [ -e /root ] && { echo "other files are visible"; exit 1; }
echo x > /out/self-test || { echo "/out is not writable"; exit 1; }
while read -r name value; do
  [ "$name" = CapEff: ] && [ "$value" != 0000000000000000 ] && { echo "capabilities are left: $value"; exit 1; }
  [ "$name" = NoNewPrivs: ] && [ "$value" != 1 ] && { echo "privileges can be gained"; exit 1; }
done < /proc/self/status
[ -z "$HOME$MATINEE_SELF_TEST" ] || { echo "the environment is visible"; exit 1; }
echo contained
`;
