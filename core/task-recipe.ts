import { createHash } from "node:crypto";
import type { Plan } from "./plan.ts";
import type { AssetRecord } from "./records/asset.ts";
import type { TaskResult } from "./records/task-result.ts";
import type { PinnedSource } from "./source.ts";
import type { TaskSpec } from "./work.ts";

/**
 * What a task's bytes depend on, as one hash: two tasks of an asset with the same one make the same, whatever their
 * generations, and so the later one need not be done.
 *
 * Of the plan everything counts but what is named here as another task's: a member that somebody adds to the plan costs
 * at worst an encode too many, never cells that do not belong together.
 */

/** Raised whenever the same pictures would be seen otherwise: what was seen before is then not taken over. */
const LOOK_VERSION = 1;

/** Gives the recipe of each task of an asset; null for what is never taken over (the probe, the publication). */
export function recipesOf(
  asset: Pick<AssetRecord, "plan" | "source" | "pinned">,
): (spec: Pick<TaskSpec, "kind" | "part" | "chunk">) => string | null {
  const { plan, source, pinned } = asset;
  if (plan === null || source === null || pinned === null) return () => null;
  // Once for all tasks: a long film's keyframes are many.
  const master = digest([identityOf(pinned), source.container, source.video]);
  return ({ kind, part, chunk }) => {
    switch (kind) {
      case "video":
        return digest([
          kind,
          master,
          ofPicture(plan),
          plan.ladders.find(({ id }) => id === part),
          plan.chunks[chunk],
          ...ofProtection(plan),
        ]);
      case "score":
        return digest([
          kind,
          master,
          ofPicture(plan),
          plan.ladders.find(({ id }) => id === part),
          plan.chunks,
          chunk,
        ]);
      case "audio":
        return digest([kind, ...ofSound(plan, part, master)]);
      case "subtitle":
        return digest([kind, ...ofText(plan, part, master)]);
      case "images":
        // Stills are taken from the cells of one ladder.
        return digest([
          kind,
          master,
          ofPicture(plan),
          plan.ladders.find(({ id }) => id === part),
          plan.chunks,
        ]);
      case "look":
        return digest([
          kind,
          LOOK_VERSION,
          master,
          ofPicture(plan),
          plan.ladders.find(({ id }) => id === part),
          plan.chunks,
          chunk,
        ]);
      case "checksum":
        // Of the object itself: what was read once need not be read again.
        return digest([kind, identityOf(pinned), pinned.key, pinned.sha256]);
      // Goes away soon, and what is on air needs none.
      case "preview":
      // What it finds is kept on the asset, beside what it made nothing of.
      case "inspect":
      // Of what lies in the store here: copies are read back like all else.
      case "verify":
      case "fetch":
      case "probe":
      case "analyse":
      case "publish":
        return null;
    }
  };
}

/** A master of the same bytes is the same master, under whatever key it was sent. */
export function identityOf({ etag, sizeBytes }: PinnedSource): string {
  return `${etag} ${sizeBytes}`;
}

function ofPicture({
  ladders: _ladders,
  chunks: _chunks,
  audio: _audio,
  subtitles: _subtitles,
  loudnessTargetLufs: _loudness,
  protection: _protection,
  ...own
}: Plan) {
  return own;
}

/** Cells are stored encrypted; stills and scores are of what is beneath. */
function ofProtection({ protection }: Plan): unknown[] {
  return protection === undefined ? [] : [protection];
}

/** Names and roles stand in playlists, not in cells. */
function ofSound(plan: Plan, trackId: string, master: string): unknown[] {
  const track = plan.audio.find(({ id }) => id === trackId);
  if (track === undefined) return [trackId];
  const { language: _language, label: _label, role: _role, file, ...own } = track;
  const { formatVersion, encoderBuild, timeline, loudnessTargetLufs } = plan;
  const from = file === null ? master : identityOf(file);
  return [from, own, formatVersion, encoderBuild, timeline, loudnessTargetLufs, ...ofProtection(plan)];
}

/** Of a regular track the forced lines that go into it count too. */
function ofText(plan: Plan, trackId: string, master: string): unknown[] {
  const track = plan.subtitles.find(({ id }) => id === trackId);
  if (track === undefined) return [trackId];
  const { formatVersion, encoderBuild, timeline } = plan;
  const origins = [track.origin, ...track.included].map((origin) =>
    origin.file === null
      ? [master, origin.streamIndex, origin.codec]
      : [identityOf(origin.file), origin.format],
  );
  return [trackId, origins, formatVersion, encoderBuild, timeline];
}

function digest(parts: unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}

/** Every object that a result names below `prefix`. */
export function objectsOf(result: TaskResult, prefix: string): string[] {
  const keys = new Set<string>();
  rewritten(result, prefix, (key) => {
    keys.add(key);
    return key;
  });
  return [...keys];
}

/** The result as it is when all its objects lie below another prefix. */
export function movedResult(result: TaskResult, fromPrefix: string, toPrefix: string): TaskResult {
  return rewritten(result, fromPrefix, (key) => toPrefix + key.slice(fromPrefix.length)) as TaskResult;
}

/** Walks all of it, so that whatever a result comes to hold is moved with it: only keys begin with a package's prefix. */
function rewritten(value: unknown, prefix: string, onKey: (key: string) => string): unknown {
  if (typeof value === "string") return value.startsWith(prefix) ? onKey(value) : value;
  if (Array.isArray(value)) return value.map((entry) => rewritten(entry, prefix, onKey));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, rewritten(member, prefix, onKey)]),
  );
}
