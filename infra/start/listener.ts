import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** proc(5), net/tcp: the state of a socket that waits for connections. */
const LISTENING = "0A";

/**
 * Whether somebody of this process group listens on the port, so that an answer from there is ours. Only Linux
 * tells without further programs; elsewhere it is taken for granted.
 */
export function groupListens(leaderPid: number, port: number): boolean {
  if (process.platform !== "linux") return true;
  const sockets = socketsOn(port);
  return groupOf(leaderPid).some((pid) => openedBy(pid).some((link) => sockets.has(link)));
}

/** What listens on the port, on whatever address, as links from `/proc/<pid>/fd` name it. */
function socketsOn(port: number): Set<string> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const tables = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((path) =>
    (read(path) ?? "").split("\n").slice(1),
  );
  const rows = tables.map((row) => row.trim().split(/\s+/));
  const listening = rows.filter(([, local, , state]) => local?.endsWith(suffix) && state === LISTENING);
  return new Set(listening.map((row) => `socket:[${row[9]}]`));
}

function groupOf(leaderPid: number): string[] {
  return readdirSync("/proc").filter((name) => {
    const stat = /^\d+$/.test(name) ? read(`/proc/${name}/stat`) : null;
    // The name in brackets may hold anything; after it come state, parent and group.
    return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[2] === String(leaderPid);
  });
}

function openedBy(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

/** Null where the process has ended meanwhile. */
function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
