import { startProduct } from "./product.ts";

/** A process that has the product running and does nothing else, to be killed by a test. */
await startProduct({ workers: 1 });
console.log("up");
setInterval(() => undefined, 60_000);
