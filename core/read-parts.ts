import { allRungs, type Plan } from "./plan.ts";
import type { ProducedTrack } from "./produced-track.ts";
import type { TextResult } from "./records/task-result.ts";
import { segmentFrames } from "./timeline.ts";

/**
 * What is read back from storage and judged before a film is published: which objects, and by what. Of a long film that is done in
 * parts (core/film-parts.ts); the publication takes their word for an object where nothing has changed since, and reads all else itself.
 */

/** What an object has to be, by the plan and by whoever made it. */
export interface ExpectedObject {
  key: string;
  bytes: number;
  /** Hex SHA-256. */
  sha256: string;
  /** Of media: where it stands on its track, and how many frames the plan gives it (null: not counted). null: a text. */
  media: { startTicks: number; durationTicks: number; frames: number | null } | null;
}

/** An object as the store has it: another time, size or ETag, and it may be another one. */
export interface StoredVersion {
  sizeBytes: number;
  etag: string;
  /** Whole seconds since 1970: HTTP says no more. */
  modifiedSeconds: number;
}

/** An object that was found to be what it had to be. */
export interface ReadObject extends ExpectedObject {
  version: StoredVersion;
}

/** What one part found. Objects that were not as they had to be are in no record: they are made again. */
export interface ReadPart {
  /** When the first of them was asked for, by the library's clock: seconds since 1970. */
  sinceSeconds: number;
  objects: ReadObject[];
  /** What the gate needs to know of them, packed (transcoder/pack-facts.ts). */
  facts: string;
}

/** What was read longer ago is read again: a film may have waited for weeks until somebody waived what was found in it. */
export const READING_LASTS_SECONDS = 6 * 3600;

/**
 * For which of the expected objects some part's word counts, by their keys, and whose: it was judged by exactly what is expected of it
 * now, not too long ago, and lies in the store as it did then. All others are still to be read. `stored` has every object below the
 * package's prefix by its key. Pure; in whatever order the parts come.
 */
export function joinReadings(
  expected: readonly ExpectedObject[],
  parts: readonly ReadPart[],
  stored: ReadonlyMap<string, StoredVersion>,
  nowSeconds: number,
): Map<string, ReadPart> {
  const wanted = new Map(expected.map((object) => [object.key, object]));
  const read = new Map<string, ReadPart>();
  for (const part of parts) {
    if (nowSeconds - part.sinceSeconds > READING_LASTS_SECONDS) continue;
    for (const was of part.objects) {
      const is = wanted.get(was.key);
      const version = stored.get(was.key);
      if (is === undefined || version === undefined) continue;
      if (isAlike(was, is) && isSameVersion(was.version, version)) read.set(was.key, part);
    }
  }
  return read;
}

function isAlike(was: ExpectedObject, is: ExpectedObject): boolean {
  if (was.bytes !== is.bytes || was.sha256 !== is.sha256) return false;
  if (was.media === null || is.media === null) return was.media === is.media;
  return (
    was.media.startTicks === is.media.startTicks &&
    was.media.durationTicks === is.media.durationTicks &&
    was.media.frames === is.media.frames
  );
}

function isSameVersion(was: StoredVersion, is: StoredVersion): boolean {
  return (
    // A store that gives no ETag tells nothing.
    was.etag !== "" &&
    was.etag === is.etag &&
    was.sizeBytes === is.sizeBytes &&
    was.modifiedSeconds === is.modifiedSeconds
  );
}

/**
 * What is expected of the cells of some tracks, whole or from the same segment on, and of every object of some texts. Pictures begin where
 * the plan has them, sound with the film.
 */
export function expectedObjects(
  { timeline, ladders }: Pick<Plan, "timeline" | "ladders">,
  tracks: ReadonlyMap<string, ProducedTrack>,
  texts: readonly TextResult[],
): ExpectedObject[] {
  const counted = new Set(allRungs({ ladders }).map(({ id }) => id));
  const ofTracks = [...tracks.values()].flatMap(({ trackId, cells }) => {
    const first = cells[0]?.segment ?? 0;
    let startTicks = segmentFrames(timeline, first).firstFrame * timeline.ticksPerFrame;
    return cells.map(({ key, bytes, sha256, durationTicks, segment }): ExpectedObject => {
      const frames = counted.has(trackId) ? segmentFrames(timeline, segment).frameCount : null;
      const media = { startTicks, durationTicks, frames };
      startTicks += durationTicks;
      return { key, bytes, sha256, media };
    });
  });
  const ofTexts = texts.flatMap(({ whole, cells }) =>
    [whole, ...cells].map(({ key, bytes, sha256 }) => ({ key, bytes, sha256, media: null })),
  );
  return [...ofTracks, ...ofTexts];
}
