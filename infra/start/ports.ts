import { createServer } from "node:net";

/** The ports that a person finds things on, away from the ones that the parts' own packages take. */
export const USUAL_PORTS: Record<string, number> = {
  api: 8080,
  delivery: 8081,
  mongodb: 37027,
  redis: 36389,
  s3: 39010,
};

export const LOOPBACK = "127.0.0.1";

/** Whether something can listen on this port of the loopback address now. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await listenOn(port)) !== null;
}

/** A port that the system says is free. */
export async function anyFreePort(): Promise<number> {
  const port = await listenOn(0);
  if (port === null) throw new Error("no free port on this machine");
  return port;
}

/**
 * A port for each name: the one it had last time, else its usual one, else any free one; never one port twice.
 */
export async function choosePorts(
  names: readonly string[],
  remembered: Readonly<Record<string, number>>,
  find: { isFree(port: number): Promise<boolean>; any(): Promise<number> },
): Promise<Record<string, number>> {
  const chosen: Record<string, number> = {};
  const taken = new Set<number>();
  for (const name of names) {
    const wishes = [remembered[name], USUAL_PORTS[name]].filter((port) => port !== undefined);
    let port: number | undefined;
    for (const wish of wishes) {
      if (!taken.has(wish) && (await find.isFree(wish))) {
        port = wish;
        break;
      }
    }
    while (port === undefined) {
      const any = await find.any();
      if (!taken.has(any)) port = any;
    }
    taken.add(port);
    chosen[name] = port;
  }
  return chosen;
}

function listenOn(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(null));
    server.listen(port, LOOPBACK, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : port));
    });
  });
}
