import { z } from "@hono/zod-openapi";
import { CLEAR_KEY_SYSTEM } from "../core/clear-key.ts";
import { offeredRenditions } from "../core/offered-tracks.ts";
import type { AssetRecord } from "../core/records/asset.ts";
import type { ApiConfig } from "./config.ts";
import { instant } from "./contract.ts";
import { trackRoles } from "./track-view.ts";

/** What a player is told of a session. */

const protectionView = z.object({
  scheme: z.literal("cbcs"),
  /** For `requestMediaKeySystemAccess`. */
  keySystem: z.literal(CLEAR_KEY_SYSTEM),
  /** Takes the player's request by POST, with the account's token as everywhere. */
  licenseUrl: z.string(),
  /** Lower-case hex. */
  keyIds: z.array(z.string()),
});

const trackView = z.object({
  id: z.string(),
  kind: z.enum(["video", "audio", "subtitle"]),
  codec: z.string(),
  language: z.string().optional(),
  label: z.string().optional(),
  role: trackRoles.optional(),
  channels: z.number().int().optional(),
  width: z.number().int().optional(),
  height: z.number().int().optional(),
  averageBps: z.number(),
  peakBps: z.number(),
});

export const playbackView = z
  .object({
    sessionId: z.string(),
    manifestUrl: z.string(),
    /** The same segments for DASH players. */
    dashUrl: z.string().optional(),
    /** Where there are several edges: which to play from, as the master's own steering server says it (8216bis 7.2). */
    steeringUrl: z.string().optional(),
    posterUrl: z.string().nullable(),
    /** WebVTT of small pictures for the seek bar: `<sheet>.jpg#xywh=…`, relative. */
    storyboardUrl: z.string().nullable(),
    expiresAt: instant,
    resumeAtSeconds: z.number(),
    durationSeconds: z.number(),
    /** What the session's own manifest offers. */
    tracks: z.array(trackView),
    /** The ids of the tracks that fit the account's preferences; null: none. */
    selected: z.object({ audioId: z.string().nullable(), subtitleId: z.string().nullable() }),
    /** How its media is protected; absent where it is not. */
    protection: protectionView.optional(),
  })
  .openapi("Playback");
export type PlaybackView = z.infer<typeof playbackView>;

/** Relative where the API does not know its own address: it is asked where this answer came from. */
export function protectionOf(
  { publicUrl }: Pick<ApiConfig, "publicUrl">,
  sessionId: string,
  keyId: string,
): z.infer<typeof protectionView> {
  const licenseUrl = `${publicUrl ?? ""}/v1/playback/${sessionId}/license`;
  return { scheme: "cbcs", keySystem: CLEAR_KEY_SYSTEM, licenseUrl, keyIds: [keyId] };
}

/** What the session's own manifest offers of a package: the tracks in these folders, or all of them. */
export function tracksOf(
  { renditions }: Pick<AssetRecord, "renditions">,
  offered: ReadonlySet<string> | null,
): PlaybackView["tracks"] {
  return offeredRenditions(renditions, offered).map(
    ({ id, kind, codec, language, label, role, channels, width, height, averageBps, peakBps }) => ({
      ...{ id, kind, codec, language, label, role, channels },
      ...{ width, height, averageBps, peakBps },
    }),
  );
}
