import { IMAGES_FOLDER } from "./keys.ts";
import type { AssetRecord, Rendition } from "./records/asset.ts";
import type { ImageRecord } from "./records/task-result.ts";

/** Posters are renditions of kind `image` with a moment; the first one is the best. */
export type Poster = Rendition & { atSeconds: number };

export const STORYBOARD_ID = "storyboard";

/** What of a package's pictures is told to its content team: each poster, and the storyboard with all its sheets. */
export function imageRenditions(images: readonly ImageRecord[]): Rendition[] {
  const still = { kind: "image" as const, codec: "jpeg", averageBps: 0, peakBps: 0 };
  const posters = images.filter(({ kind }) => kind === "poster");
  const board = images.find(({ kind }) => kind === "storyboard");
  const sheets = images.filter(({ kind }) => kind === "sheet");
  return [
    ...posters.map(({ id, width, height, bytes, atSeconds }) => ({
      ...still,
      ...{ id, width, height, bytes, atSeconds: atSeconds ?? 0 },
    })),
    ...(board === undefined
      ? []
      : [
          {
            ...still,
            ...{ id: STORYBOARD_ID, width: board.width, height: board.height },
            bytes: sheets.reduce((sum, sheet) => sum + sheet.bytes, board.bytes),
          },
        ]),
  ];
}

/** The posters that can be chosen from, best first. */
export function postersOf({ renditions }: Pick<AssetRecord, "renditions">): Poster[] {
  return renditions.filter((one): one is Poster => one.kind === "image" && one.atSeconds !== undefined);
}

/** The one that viewers see: the editor's choice where this package has it, else the best; null where there is none. */
export function chosenPoster(asset: Pick<AssetRecord, "renditions" | "posterAtSeconds">): Poster | null {
  const posters = postersOf(asset);
  return posters.find(({ atSeconds }) => atSeconds === asset.posterAtSeconds) ?? posters[0] ?? null;
}

export function hasStoryboard({ renditions }: Pick<AssetRecord, "renditions">): boolean {
  return renditions.some(({ kind, id }) => kind === "image" && id === STORYBOARD_ID);
}

/** Where a poster lies below its package's prefix. */
export function posterPath({ id }: Pick<Poster, "id">): string {
  return `${IMAGES_FOLDER}${id}.jpg`;
}
