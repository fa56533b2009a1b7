import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProcess } from "./process-group.ts";
import { BASH_PATH, bubblewrapArgv, type Sandbox } from "./sandbox.ts";
import { seccompFilter } from "./seccomp.ts";

/**
 * A script of shell builtins: each line fails loudly where the sandbox leaks. `$1` is a port on which the host
 * listens, `$2` a file outside `/out` that the host can write, `$3` is `filtered` or `open`.
 */
const SELF_TEST_SCRIPT = `
fail() { echo "$1"; exit 1; }
(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && fail "the network is reachable"
for place in /usr /tmp /dev /dev/shm / /in; do
  (echo x > "$place/matinee-self-test") 2>/dev/null && fail "$place is writable"
done
[ -e "$2" ] || [ -e /home ] || [ -e /root ] || [ -e /etc/passwd ] && fail "other files are visible"
(echo x > /out/self-test) 2>/dev/null || fail "/out is not writable"
while read -r name value; do
  case $name in
    Cap*) [ "$value" = 0000000000000000 ] || fail "capabilities are left: $name $value" ;;
    NoNewPrivs:) [ "$value" = 1 ] || fail "privileges can be gained" ;;
    # 2: by a filter, be it ours or one around the worker.
    Seccomp:) [ "$3" = open ] || [ "$value" = 2 ] || fail "system calls are not filtered" ;;
  esac
done < /proc/self/status
while read -r -d '' variable; do
  case $variable in
    # What the shell itself sets.
    PWD=* | OLDPWD=* | SHLVL=* | _=*) ;;
    *) fail "the environment is visible: \${variable%%=*}" ;;
  esac
done < /proc/$$/environ
processes=(/proc/[0-9]*)
# bubblewrap, the shell that keeps time, its lifeline and this one.
[ "\${#processes[@]}" -le 4 ] || fail "other processes are visible"
if [ "$3" = filtered ]; then
  # Without a network a socket can be made but leads nowhere; with the filter there is none.
  said=$({ : 3<>/dev/tcp/127.0.0.1/1; } 2>&1)
  [[ $said = *"not permitted"* ]] || fail "the filter lets sockets through"
fi
echo contained
`;

export type SandboxState =
  | { sandbox: Sandbox; detail: string }
  | {
      sandbox: null;
      /** In words, why runs are not contained. */
      detail: string;
    };

/**
 * Tries the sandbox from inside, first without a filter of system calls, so that the namespaces are seen to hold by
 * themselves, then with it. One that leaks or does not start is not used; one whose filter fails is used without, and says so.
 */
export async function testSandbox(tools: Pick<Sandbox, "bwrapPath" | "prlimitPath">): Promise<SandboxState> {
  const canDisableUserNamespaces = await knowsOption(tools.bwrapPath, "--disable-userns");
  const unfiltered: Sandbox = { ...tools, canDisableUserNamespaces, systemCallFilter: null };
  const leak = await tryFromInside(unfiltered);
  if (leak !== null) return { sandbox: null, detail: leak };
  const systemCallFilter = seccompFilter(process.arch);
  if (systemCallFilter === null) {
    return {
      sandbox: unfiltered,
      detail: `contained; system calls are not filtered: no filter for ${process.arch}`,
    };
  }
  const filtered = { ...unfiltered, systemCallFilter };
  const fault = await tryFromInside(filtered);
  return fault === null
    ? { sandbox: filtered, detail: "contained; system calls filtered" }
    : { sandbox: unfiltered, detail: `contained; system calls are not filtered: ${fault}` };
}

/** null where the sandbox holds, else what is wrong with it. */
async function tryFromInside(candidate: Sandbox): Promise<string | null> {
  const outputDirectory = await mkdtemp(join(tmpdir(), "matinee-self-test-"));
  const listener = createServer((socket) => socket.destroy());
  try {
    const port = await listen(listener);
    const filterMode = candidate.systemCallFilter === null ? "open" : "filtered";
    const outcome = await runProcess({
      argv: bubblewrapArgv(candidate, {
        programPath: BASH_PATH,
        args: ["-c", SELF_TEST_SCRIPT, "self-test", String(port), outputDirectory, filterMode],
        sourceFile: undefined,
        devices: [],
        outputDirectory,
      }),
      parentDeathPath: null,
      wallSeconds: 20,
      prelude: candidate.systemCallFilter,
    });
    if (outcome.exitCode === 0 && outcome.stdout.trim() === "contained") return null;
    const said = (outcome.stdout || outcome.stderrTail).trim().slice(-300);
    return said || "the sandbox does not start";
  } finally {
    listener.close();
    await rm(outputDirectory, { recursive: true, force: true });
  }
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

async function knowsOption(bwrapPath: string, option: string): Promise<boolean> {
  const help = await runProcess({ argv: [bwrapPath, "--help"], parentDeathPath: null, wallSeconds: 10 });
  return `${help.stdout}${help.stderrTail}`.includes(`${option} `);
}
