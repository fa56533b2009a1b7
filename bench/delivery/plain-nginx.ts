import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { freePort } from "../../test/rig/product.ts";

/**
 * A plain file server over `root`, its own files in `folder`. One worker process, as the edge is one; sendfile, no log: the
 * fastest that one gets.
 */
export async function withPlainNginx<T>(
  folder: string,
  root: string,
  use: (origin: string, pid: number) => Promise<T>,
): Promise<T> {
  const port = await freePort();
  const settings = join(folder, "nginx.conf");
  await writeFile(settings, settingsOf(folder, root, port));
  const child = spawn("nginx", ["-p", folder, "-c", settings], { stdio: ["ignore", "inherit", "inherit"] });
  try {
    await listening(port);
    return await use(`http://127.0.0.1:${port}`, child.pid!);
  } finally {
    child.kill("SIGTERM");
    await once(child, "exit");
  }
}

function settingsOf(folder: string, root: string, port: number): string {
  const places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(" ");
  return `${process.getuid?.() === 0 ? "user root;" : ""} daemon off; worker_processes 1; pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 1024; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; ${places}
  server { listen 127.0.0.1:${port}; root ${root}; } }
`;
}

async function listening(port: number): Promise<void> {
  for (const deadline = performance.now() + 10_000; performance.now() < deadline; ) {
    const answers = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true));
      socket.once("error", () => resolve(false)).once("connect", () => socket.destroy());
    });
    if (answers) return;
  }
  throw new Error(`nothing listens on ${port}`);
}
