import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Random } from "../../test/fuzz/random.ts";
import type { Client, Complaints } from "./client.ts";
import type { FaultLog } from "./faults.ts";
import type { Film } from "./films.ts";

/** How an upload ended. */
export type Sent = { uploadId: string; assetId: string } & (
  | { isComplete: true }
  | { isComplete: false; isAborted: boolean }
);

interface Sender {
  client: Client;
  faults: FaultLog;
  complaints: Complaints;
  chance: Random;
}

const AGAIN_MS = 400;

/**
 * Sends a film through presigned parts as clients do, whatever fails on the way tried again; now and then it breaks off and is taken up
 * again by what storage holds, is called off, or is left lying.
 */
export async function sendFilm(
  sender: Sender,
  film: Film,
  filename: string,
  more: object = {},
): Promise<Sent> {
  const { client, chance, complaints } = sender;
  const key = { "idempotency-key": `soak-${Math.floor(chance.share() * 1e15)}` };
  const wish = { filename, sizeBytes: film.bytes.length, ...more };
  const opened = await client.insist("POST", "/v1/uploads", wish, [201], key);
  if (opened.status !== 201) throw new Error(`upload refused: ${JSON.stringify(opened.body)}`);
  const { id: uploadId, assetId, partSizeBytes, partCount } = opened.body;
  const whim = chance.share();
  const numbers = Array.from({ length: partCount }, (_, index) => index + 1);
  if (whim < 0.12) {
    await sendParts(sender, film, uploadId, partSizeBytes, numbers.slice(0, chance.below(partCount + 1)));
    if (whim < 0.04) return { uploadId, assetId, isComplete: false, isAborted: false };
    const aborted = await client.insist("DELETE", `/v1/uploads/${uploadId}`, undefined, [204, 409]);
    if (aborted.status === 204) return { uploadId, assetId, isComplete: false, isAborted: true };
  } else if (whim < 0.35) {
    await sendParts(sender, film, uploadId, partSizeBytes, numbers.slice(0, chance.below(partCount)));
    const early = await client.insist("POST", `/v1/uploads/${uploadId}/complete`, {}, [409]);
    if (early.status !== 409 || early.body.code !== "upload_incomplete")
      complaints.add(`an incomplete upload was answered ${early.status} ${JSON.stringify(early.body)}`);
  }
  for (;;) {
    const status = await client.insist("GET", `/v1/uploads/${uploadId}`);
    const there = new Set((status.body.parts ?? []).map(({ partNumber }) => partNumber));
    if (status.body.state === "open")
      await sendParts(
        sender,
        film,
        uploadId,
        partSizeBytes,
        numbers.filter((number) => !there.has(number)),
      );
    const done = await client.insist("POST", `/v1/uploads/${uploadId}/complete`, {}, [202]);
    if (done.status === 202) return { uploadId, assetId, isComplete: true };
    await pause(AGAIN_MS);
  }
}

async function sendParts(
  { client, faults, complaints }: Sender,
  { bytes }: Film,
  uploadId: string,
  partSizeBytes: number,
  numbers: readonly number[],
): Promise<void> {
  for (const partNumber of numbers) {
    const part = bytes.subarray((partNumber - 1) * partSizeBytes, partNumber * partSizeBytes);
    const sha256 = createHash("sha256").update(part).digest("base64");
    for (;;) {
      const wanted = { parts: [{ partNumber, sha256 }] };
      const signed = await client.insist("POST", `/v1/uploads/${uploadId}/parts`, wanted, [200]);
      if (signed.status !== 200) throw new Error(`not signed: ${JSON.stringify(signed.body)}`);
      const { url, headers } = signed.body.parts[0]!;
      const from = faults.now();
      const put = await fetch(url, {
        method: "PUT",
        headers,
        body: new Uint8Array(part),
        signal: AbortSignal.timeout(60_000),
      }).then(
        async (answer) => ({ status: answer.status, text: await answer.text() }),
        (thrown: unknown) => ({ status: 0, text: String(thrown) }),
      );
      if (put.status === 200) break;
      if (faults.during(from, faults.now(), 3_000, ["s3"]).length === 0)
        complaints.add(`PUT of part ${partNumber}: ${put.status} ${put.text.slice(0, 200)}`, from);
      await pause(AGAIN_MS);
    }
  }
}
