/**
 * Calls back when the process that started this one is gone, `kill -9` included: bootstrap.mjs holds a channel
 * open to us that does nothing but end. Does nothing where we were started without it, and keeps nothing alive.
 */
export function whenOrphaned(act: () => void): void {
  if (process.channel === undefined || process.channel === null) return;
  process.once("disconnect", act);
  process.channel.unref();
}
