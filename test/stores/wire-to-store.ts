import { EventEmitter, once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { s3ForTest } from "./s3-for-test.ts";

/**
 * A TCP wire to the real store that counts what comes back and can be frozen, cut (`cutsLeft` times, after `cutAfter`
 * bytes), made to hold back what comes after `holdAfter` bytes until `release`, or to flip a bit of the byte at `flipAt`.
 */
export async function wireToStore() {
  const target = new URL(s3ForTest("wire").endpoint);
  const state = {
    bytes: 0,
    open: 0,
    sockets: new Set<Socket>(),
    cutAfter: Number.POSITIVE_INFINITY,
    cutsLeft: Number.POSITIVE_INFINITY,
    frozen: false,
    holdAfter: Number.POSITIVE_INFINITY,
    flipAt: Number.POSITIVE_INFINITY,
  };
  const held = new Set<Socket>();
  const changes = new EventEmitter();
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    state.open++;
    changes.emit("opened");
    state.sockets.add(near);
    near.pipe(far);
    // A frozen wire passes nothing on, not even that the store hung up.
    if (state.frozen) far.pause();
    else
      far.on("data", (piece) => {
        const flip = state.flipAt - state.bytes;
        if (flip >= 0 && flip < piece.length) piece.writeUInt8(piece.readUInt8(flip) ^ 1, flip);
        state.bytes += piece.length;
        if (state.bytes > state.holdAfter) {
          far.pause();
          held.add(far);
        }
        if (state.bytes > state.cutAfter && state.cutsLeft > 0) {
          state.cutsLeft--;
          near.resetAndDestroy();
        } else if (!near.write(piece)) {
          far.pause();
          near.once("drain", () => held.has(far) || far.resume());
        }
      });
    const end = () => {
      if (!state.sockets.delete(near)) return;
      state.open--;
      far.destroy();
      near.destroy();
      changes.emit("closed");
    };
    for (const socket of [near, far]) socket.on("error", end).on("close", end);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    state,
    changes,
    release() {
      state.holdAfter = Number.POSITIVE_INFINITY;
      for (const socket of held) socket.resume();
      held.clear();
    },
    /** Takes connections from now on and passes nothing on, or works again; what was open is cut off. */
    silence(frozen: boolean) {
      state.frozen = frozen;
      for (const socket of state.sockets) socket.destroy();
    },
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      for (const socket of state.sockets) socket.destroy();
      server.close();
    },
  };
}
