import type { ContentKey } from "../core/content-key.ts";
import { Failure } from "../core/errors.ts";
import { readFragments } from "../core/fragments.ts";
import { INIT_NAME, trackFolder } from "../core/keys.ts";
import { lockTrack, type OpenedTrack, openTrack } from "../core/protect-track.ts";
import { findContentKey } from "../stores/library/content-keys.ts";
import type { Cell, TrackPlace } from "./cells.ts";
import type { TaskContext } from "./task-context.ts";

/** Media on its way to storage and back: encrypted where the plan says so, and opened again by whoever looks at what was made. */

/** A track, or a part of one, before it is stored. */
export interface MadeTrack {
  init: Uint8Array;
  cells: Cell[];
}

/** How tracks of a task's asset are made ready for storage: as they are, where nothing is protected. */
export type Protector = (place: TrackPlace, made: MadeTrack) => MadeTrack;

export async function openProtector(context: TaskContext): Promise<Protector> {
  const contentKey = await contentKeyOf(context);
  if (contentKey === null) return (_, made) => made;
  return ({ kind, trackId }, { init, cells }) => {
    const lock = lockTrack(init, contentKey, trackFolder(kind, trackId));
    return { init: lock.init, cells: cells.map((cell) => protectedCell(cell, lock.protect(cell.bytes))) };
  };
}

/** Fragments grow by what is said in them: keyframes lie elsewhere. */
function protectedCell(cell: Cell, bytes: Uint8Array): Cell {
  const fragments = readFragments(bytes);
  const keyframes = cell.keyframes.map(({ startTicks }, index) => {
    const { offset, samples } = fragments[index]!;
    return { offset, length: samples[0]!.offset + samples[0]!.sizeBytes - offset, startTicks };
  });
  return { ...cell, bytes, keyframes };
}

/** What was stored, as it was before it was protected. */
export interface ClearMedia {
  /** An object as it lies in storage, or a run of its whole fragments, by its key. */
  open(key: string, bytes: Uint8Array): Promise<Uint8Array>;
  /** Read and opened; null where it is not there. */
  read(key: string): Promise<Uint8Array | null>;
}

/** Reads media of the package in hand as a player does that has its key: by its init segments, and by what its fragments say. */
export async function openClearMedia(context: TaskContext): Promise<ClearMedia> {
  const { blobs } = context;
  const stored = (key: string): Promise<Uint8Array | null> => blobs.read("media", key);
  const contentKey = await contentKeyOf(context);
  if (contentKey === null) return { open: async (_, bytes) => bytes, read: stored };
  const tracks = new Map<string, Promise<OpenedTrack>>();
  const trackOf = (folder: string): Promise<OpenedTrack> => {
    const known = tracks.get(folder) ?? openedTrack(stored, folder, contentKey);
    tracks.set(folder, known);
    return known;
  };
  const open: ClearMedia["open"] = async (key, bytes) => {
    const folder = key.slice(0, key.lastIndexOf("/") + 1);
    if (key.endsWith(`/${INIT_NAME}`)) return openTrack(bytes, contentKey).init;
    return key.endsWith(".m4s") ? (await trackOf(folder)).open(bytes) : bytes;
  };
  return {
    open,
    async read(key) {
      const bytes = await stored(key);
      return bytes === null ? null : open(key, bytes);
    },
  };
}

async function openedTrack(
  stored: ClearMedia["read"],
  folder: string,
  contentKey: ContentKey,
): Promise<OpenedTrack> {
  const init = await stored(folder + INIT_NAME);
  if (init === null) throw new Failure("transient", "internal", "An init segment did not read back.");
  return openTrack(init, contentKey);
}

/** The key that the plan names; null where nothing is protected. */
async function contentKeyOf({ library, masterKeys, asset }: TaskContext): Promise<ContentKey | null> {
  const { protection } = asset.plan ?? {};
  if (protection === undefined) return null;
  const found = await findContentKey(library, masterKeys, asset._id);
  if (found?.keyId === protection.keyId) return found;
  throw new Failure("ours", "internal", "The key that this package is to be under is gone.");
}
