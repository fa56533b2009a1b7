import { type AddressInfo, createServer, type ListenOptions, type Server } from "node:net";

/** The ports that a person finds things on, away from the ones that the parts' own packages take. */
export const USUAL_PORTS: Record<string, number> = {
  api: 8080,
  delivery: 8081,
  mongodb: 37027,
  redis: 36389,
  s3: 39010,
};

export const LOOPBACK = "127.0.0.1";

/** Ports by the name of their part, each kept from everybody else until its part is started on it. */
export interface HeldPorts {
  readonly numbers: Readonly<Record<string, number>>;
  /** Lets go of a part's port, for the part to take. False where somebody else listens on it. */
  handOver(part: string): Promise<boolean>;
}

/** Whether something can listen on this port of the loopback address now. */
export async function isPortFree(port: number): Promise<boolean> {
  const held = await holdPort(port);
  await held?.release();
  return held !== null;
}

/**
 * A port for each name: the one it had last time, else its usual one, else any free one. They are held, not only
 * found: between the choice and the start of a part may lie minutes of installing, and another start.
 */
export async function holdPorts(
  names: readonly string[],
  remembered: Readonly<Record<string, number>>,
): Promise<HeldPorts> {
  const held = new Map<string, HeldPort>();
  for (const name of names) {
    const wishes = [remembered[name], USUAL_PORTS[name], 0].filter((port) => port !== undefined);
    for (const wish of wishes) {
      const port = await holdPort(wish);
      if (port === null) continue;
      if (await claimPort(port.port)) {
        held.set(name, port);
        break;
      }
      await port.release();
    }
    if (!held.has(name)) throw new Error(`${name}: no free port on this machine`);
  }
  return {
    numbers: Object.fromEntries([...held].map(([name, { port }]) => [name, port])),
    async handOver(part) {
      const one = held.get(part);
      await one?.release();
      return one === undefined || (await isPortFree(one.port));
    },
  };
}

/** Any free port for each name: away from the usual ones, which a start on this machine may have. */
export function holdFreePorts(names: readonly string[]): Promise<HeldPorts> {
  return holdPorts(names, Object.fromEntries(names.map((name) => [name, 0])));
}

interface HeldPort {
  port: number;
  release(): Promise<void>;
}

/** Listens on the port (0: any free one) and answers nobody; null where it is taken. */
async function holdPort(port: number): Promise<HeldPort | null> {
  const server = await listenOn({ port, host: LOOPBACK });
  if (server === null) return null;
  const release = () => new Promise<void>((released) => void server.close(() => released()));
  return { port: (server.address() as AddressInfo).port, release };
}

/**
 * Keeps other starts off the port for as long as this process lives: between letting go of a port and the part's
 * taking it there is a moment. A name of Linux's abstract sockets leaves no file behind, whatever kills us.
 */
async function claimPort(port: number): Promise<boolean> {
  return process.platform !== "linux" || (await listenOn({ path: `\0matinee-port-${port}` })) !== null;
}

function listenOn(where: ListenOptions): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", () => resolve(null));
    // What is held for a part that is never started keeps nobody here.
    server.listen(where, () => resolve(server.unref()));
  });
}
