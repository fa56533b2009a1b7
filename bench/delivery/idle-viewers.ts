import { Agent, get } from "node:http";
import { edgeMetrics } from "./edge-metrics.ts";

/** Memory of the Node edge before and with its idle viewers. */
export interface Idle {
  viewers: number;
  beforeBytes: number;
  withBytes: number;
}

/** Viewers who have read their playlist and now play from their buffer: a connection each, and nothing on it. */
export async function holdIdle(origin: string, path: string, viewers: number): Promise<Idle> {
  const agent = new Agent({ keepAlive: true, maxSockets: viewers, maxFreeSockets: viewers });
  const beforeBytes = await residentBytes(origin);
  const read = () =>
    new Promise<void>((resolve, reject) => {
      get(`${origin}${path}`, { agent }, (answer) => answer.resume().once("end", resolve)).once(
        "error",
        reject,
      );
    });
  await Promise.all(Array.from({ length: viewers }, read));
  const withBytes = await residentBytes(origin);
  agent.destroy();
  return { viewers, beforeBytes, withBytes };
}

async function residentBytes(origin: string): Promise<number> {
  const [match] = await edgeMetrics(origin, /^matinee_delivery_process_resident_memory_bytes (\d+)/gm);
  return Number(match?.[1]);
}
