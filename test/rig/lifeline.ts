import { whenOrphaned } from "../../infra/start/orphan.ts";

/**
 * Loaded before a program that a test or a bench starts (`--import`): it goes with whoever started it, `kill -9` included,
 * and leaves nothing running.
 */
whenOrphaned(() => process.kill(process.pid, "SIGKILL"));
