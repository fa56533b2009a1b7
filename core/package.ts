import { DASH_MANIFEST, MAIN_PLAYLIST } from "./keys.ts";
import { dashManifest } from "./mpd.ts";
import { multivariantPlaylist } from "./multivariant.ts";
import type { PackageFile, Shared } from "./package-file.ts";
import { describeRung, describeTrick } from "./package-pictures.ts";
import { audioNames, describeAudio, soundOf } from "./package-sounds.ts";
import { packageTexts } from "./package-subtitles.ts";
import { pictureFor } from "./picture.ts";
import { allRungs, type Plan } from "./plan.ts";
import { targetDurationSeconds } from "./playlist.ts";
import { entries, type ProducedTrack } from "./produced-track.ts";
import type { Rendition } from "./records/asset.ts";
import type { TextResult } from "./records/task-result.ts";

export interface Package {
  playlists: PackageFile[];
  renditions: Rendition[];
}

/** Every playlist of the package and what each rendition measures, from produced bytes alone. */
export function buildPackage(
  plan: Plan,
  tracks: ReadonlyMap<string, ProducedTrack>,
  texts: readonly TextResult[] = [],
): Package {
  const need = (trackId: string): ProducedTrack => {
    const track = tracks.get(trackId);
    if (track === undefined) throw new RangeError(`no track ${trackId}`);
    return track;
  };
  const all = [...allRungs(plan), ...plan.audio].map(({ id }) => need(id));
  // Apple 8.2, RFC 8216bis 6.2.4: one target duration over all renditions.
  const target = Math.max(...all.map((track) => targetDurationSeconds(entries(track), track.timescale)));
  const { protection } = plan;
  const shared: Shared = { target, protection };
  const video = plan.ladders.flatMap((ladder) => {
    const { output } = pictureFor(plan.picture, ladder.range);
    return ladder.rungs.map((rung) => describeRung(ladder, rung, output, need(rung.id), shared));
  });
  const trick = describeTrick(plan.trickPlay, need(plan.trickPlay.id), shared);
  const names = audioNames(plan.audio);
  const audio = plan.audio.map((track) =>
    describeAudio(track, names.get(soundOf(track)) ?? track.id, need(track.id), shared),
  );
  const subtitles = packageTexts(plan.subtitles, texts, plan.timeline, target);
  const main = multivariantPlaylist(
    video.map((one) => one.variant),
    audio.map((one) => one.rendition),
    plan.timeline.frameRate,
    trick.variant,
    subtitles.map((one) => one.rendition),
    protection,
  );
  const mpd = dashManifest({
    video: video.map((one) => one.dash),
    audio: audio.map((one) => one.dash),
    text: subtitles.map((one) => one.dash),
    frameRate: plan.timeline.frameRate,
    frameCount: plan.timeline.frameCount,
    targetDurationSeconds: target,
    protection,
  });
  return {
    playlists: [
      ...video.flatMap((one) => one.files),
      trick.file,
      ...audio.flatMap((one) => one.files),
      ...subtitles.map((one) => one.playlist),
      { path: DASH_MANIFEST, text: mpd },
      { path: MAIN_PLAYLIST, text: main },
    ],
    renditions: [...video, ...audio, ...subtitles, trick].map((one) => one.record),
  };
}
