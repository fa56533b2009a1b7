import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProcess } from "./process-group.ts";
import { BASH_PATH, bubblewrapArgv, type Sandbox } from "./sandbox.ts";

/**
 * A script of shell builtins: each line fails loudly where the sandbox leaks. `$1` is a port on which the host
 * listens, `$2` a file outside `/out` that the host can write.
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
echo contained
`;

export type SandboxState =
  | { sandbox: Sandbox; detail: string }
  | {
      sandbox: null;
      /** In words, why runs are not contained. */
      detail: string;
    };

/** Tries the sandbox from inside. One that leaks or does not start is not used. */
export async function testSandbox(sandbox: Omit<Sandbox, "canDisableUserNamespaces">): Promise<SandboxState> {
  const canDisableUserNamespaces = await knowsOption(sandbox.bwrapPath, "--disable-userns");
  const candidate: Sandbox = { ...sandbox, canDisableUserNamespaces };
  const outputDirectory = await mkdtemp(join(tmpdir(), "matinee-self-test-"));
  const listener = createServer((socket) => socket.destroy());
  try {
    const port = await listen(listener);
    const outcome = await runProcess({
      argv: bubblewrapArgv(candidate, {
        programPath: BASH_PATH,
        args: ["-c", SELF_TEST_SCRIPT, "self-test", String(port), outputDirectory],
        sourceFile: undefined,
        outputDirectory,
      }),
      parentDeathPath: null,
      wallSeconds: 20,
    });
    if (outcome.exitCode === 0 && outcome.stdout.trim() === "contained")
      return { sandbox: candidate, detail: "contained" };
    const said = (outcome.stdout || outcome.stderrTail).trim().slice(-300);
    return { sandbox: null, detail: said || "the sandbox does not start" };
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
