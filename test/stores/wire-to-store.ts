import { EventEmitter, once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { s3ForTest } from "./s3-for-test.ts";

/** A TCP wire to the real store that counts what comes back and can be frozen or cut (`cutsLeft` times, after `cutAfter` bytes). */
export async function wireToStore() {
  const target = new URL(s3ForTest("wire").endpoint);
  const state = {
    bytes: 0,
    open: 0,
    sockets: new Set<Socket>(),
    cutAfter: Number.POSITIVE_INFINITY,
    cutsLeft: Number.POSITIVE_INFINITY,
    frozen: false,
  };
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
        state.bytes += piece.length;
        if (state.bytes > state.cutAfter && state.cutsLeft > 0) {
          state.cutsLeft--;
          near.resetAndDestroy();
        } else if (!near.write(piece)) {
          far.pause();
          near.once("drain", () => far.resume());
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
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      for (const socket of state.sockets) socket.destroy();
      server.close();
    },
  };
}
