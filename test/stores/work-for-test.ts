import { randomBytes } from "node:crypto";
import { after } from "node:test";
import { planOf } from "../../bench/simulated-plan.ts";
import { DEFAULT_ENCODING, type EncodingChoice } from "../../core/encoding.ts";
import type { Plan } from "../../core/plan.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import { openLibrary } from "../../stores/library/connect.ts";
import { offerWork } from "../../stores/offer-work.ts";
import { openQueue } from "../../stores/queue.ts";

interface Title {
  tenant?: string;
  seconds?: number;
  encoding?: EncodingChoice;
  plan?: Plan;
}

/** A library and a queue of the file's own, on the real parts, closed after its tests; `onCommand` hears what the library is asked. */
export async function openWork(onCommand: (command: string) => void = () => undefined) {
  const name = `t${randomBytes(5).toString("hex")}`;
  const settings = { url: process.env.MATINEE_REDIS_URL ?? "redis://127.0.0.1:36379", prefix: name };
  const url = new URL(process.env.MATINEE_MONGO_URL ?? "mongodb://127.0.0.1:37017/");
  url.pathname = `/${name}`;
  const library = await openLibrary(url.href, { onCommand });
  await library.ensureIndexes();
  const queue = openQueue(settings);
  after(async () => {
    await queue.close();
    await library.close();
  });
  /** A title that has been planned, its tasks offered: what the schedule looks at of one. */
  const planned = async (id: string, title: Title = {}): Promise<AssetRecord> => {
    const { tenant = "t", seconds = 60, encoding = DEFAULT_ENCODING } = title;
    const { plan = planOf(seconds, 640, 360) } = title;
    const asset = {
      ...{ _id: id, tenant, state: "encoding", revision: 1, generation: "g", published: null, pinned: null },
      ...{ encoding, source: null, plan, createdAt: library.serverNow(), preview: "g" },
    } as unknown as AssetRecord;
    await library.assets.insertOne(asset);
    await offerWork(library, queue, id);
    return asset;
  };
  return { library, queue, settings, planned, url: url.href };
}
