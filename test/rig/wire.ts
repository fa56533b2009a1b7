import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A TCP wire to a part that can go wrong in every way that wires do. */
export interface Wire {
  port: number;
  /** Ends all connections at once, with a reset. */
  cut(): void;
  /** Refuses new connections, and ends those that are, until `mend`. */
  refuse(): void;
  /** Passes nothing on in either direction, but keeps all connections, until `mend`: nothing is lost, all of it late. */
  freeze(): void;
  /** Passes on so many bytes a second and connection, until `mend`. */
  slow(bytesPerSecond: number): void;
  mend(): void;
  close(): void;
}

const SLOW_STEP_MS = 100;

interface Ends {
  near: Socket;
  far: Socket;
}

/** Opens one on loopback. */
export async function openWire(target: { host: string; port: number }): Promise<Wire> {
  const open = new Set<Ends>();
  let isRefusing = false;
  let isFrozen = false;
  let ratePerStep: number | null = null;
  const cut = (): void => {
    for (const { near, far } of open) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  };
  const pass = (from: Socket, to: Socket): void => {
    const waiting: Buffer[] = [];
    let timer: NodeJS.Timeout | undefined;
    const step = (): void => {
      timer = undefined;
      if (isFrozen) {
        timer = setTimeout(step, SLOW_STEP_MS);
        return;
      }
      let left = ratePerStep ?? Number.POSITIVE_INFINITY;
      for (let first = waiting.shift(); first !== undefined; first = waiting.shift()) {
        const piece = first.subarray(0, left);
        left -= piece.length;
        if (!to.destroyed) to.write(piece);
        if (piece.length < first.length) waiting.unshift(first.subarray(piece.length));
        if (left <= 0) break;
      }
      if (waiting.length > 0) timer = setTimeout(step, SLOW_STEP_MS);
      else if (!to.writableNeedDrain) from.resume();
    };
    from.on("data", (piece) => {
      waiting.push(piece);
      if (isFrozen || ratePerStep !== null) from.pause();
      if (timer === undefined) step();
      if (to.writableNeedDrain) from.pause();
    });
    to.on("drain", () => {
      if (waiting.length === 0) from.resume();
    });
    from.on("end", () => {
      const end = (): void => {
        if (waiting.length > 0) setTimeout(end, SLOW_STEP_MS);
        else to.end();
      };
      end();
    });
  };
  const server = createServer({ allowHalfOpen: true }, (near) => {
    if (isRefusing) {
      near.resetAndDestroy();
      return;
    }
    const far = connect({ ...target, allowHalfOpen: true });
    const ends = { near, far };
    open.add(ends);
    pass(near, far);
    pass(far, near);
    const gone = (): void => {
      open.delete(ends);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on("error", gone).on("close", gone);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    refuse() {
      isRefusing = true;
      cut();
    },
    freeze() {
      isFrozen = true;
    },
    slow(bytesPerSecond) {
      ratePerStep = Math.ceil((bytesPerSecond * SLOW_STEP_MS) / 1000);
    },
    mend() {
      isRefusing = false;
      isFrozen = false;
      ratePerStep = null;
    },
    close() {
      cut();
      server.close();
    },
  };
}
