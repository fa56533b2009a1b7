import { createServer, type Server, type ServerResponse } from "node:http";
import type { Metrics } from "../stores/metrics.ts";

/** One thing the worker cannot do without, and how to ask whether it is there. */
export interface Dependency {
  name: string;
  /** Resolves to a word for people, or throws. */
  check(): Promise<string>;
}

const CHECK_DEADLINE_MS = 3_000;

/** `/healthz`, `/readyz` naming each dependency, `/metrics`: for operators, on an address of their own. */
export function serveOperations(
  address: { host: string; port: number },
  dependencies: readonly Dependency[],
  metrics: Metrics,
): Promise<Server> {
  const server = createServer((request, response) => {
    const path = request.url?.split("?")[0];
    if (path === "/healthz") return answer(response, 200, { status: "ok" });
    if (path === "/readyz")
      return void ready(dependencies).then(({ ok, body }) => answer(response, ok ? 200 : 503, body));
    if (path === "/metrics") {
      return void metrics
        .text()
        .then((text) => response.writeHead(200, { "content-type": metrics.contentType }).end(text));
    }
    answer(response, 404, { status: "not found" });
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(address.port, address.host, () => resolve(server));
  });
}

/** Every dependency's state; `ok` only when all of them hold. */
export async function ready(dependencies: readonly Dependency[]): Promise<{ ok: boolean; body: unknown }> {
  const states = await Promise.all(dependencies.map(stateOf));
  const ok = states.every((state) => state.ok);
  return {
    ok,
    body: {
      status: ok ? "ready" : "not ready",
      dependencies: Object.fromEntries(states.map((one) => [one.name, one])),
    },
  };
}

async function stateOf({ name, check }: Dependency): Promise<{ name: string; ok: boolean; detail: string }> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("does not answer")), CHECK_DEADLINE_MS);
  });
  try {
    return { name, ok: true, detail: await Promise.race([check(), deadline]) };
  } catch (error) {
    return { name, ok: false, detail: error instanceof Error ? error.message : "failed" };
  } finally {
    clearTimeout(timer);
  }
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response
    .writeHead(status, { "content-type": "application/json", "cache-control": "no-store" })
    .end(JSON.stringify(body));
}
