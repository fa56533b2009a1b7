import type Hls from "hls.js";
import type { Playback, TitlePage } from "./api-client.ts";
import type { GrantKeeper } from "./grant-keeper.ts";
import { showHelp } from "./help-dialog.ts";
import { keepCaptions } from "./keep-captions.ts";
import { keepQuality } from "./keep-quality.ts";
import { keepSound } from "./keep-sound.ts";
import { keepSpeed } from "./keep-speed.ts";
import { listenToKeys } from "./keyboard.ts";
import { noteSegments } from "./last-segment.ts";
import { nextCard } from "./next-card.ts";
import type { PlayerControls } from "./player-controls.ts";
import { resumeCard } from "./resume-card.ts";
import { seekThumbnails } from "./seek-thumbnails.ts";
import { showChapters } from "./show-chapters.ts";
import { skipButton } from "./skip-button.ts";
import { statsOverlay } from "./stats-overlay.ts";
import { tellSystem } from "./tell-system.ts";
import type { FilmTracks } from "./track-choice.ts";
import type { WatchLayer } from "./watch-layer.ts";
import type { WatchMeter } from "./watch-meter.ts";

export interface Furnished {
  hls: Hls;
  controls: PlayerControls;
  keeper: GrantKeeper;
  /** Where an object of the film is to be had now. */
  address: (url: string) => Promise<string>;
  layer: WatchLayer;
  playback: Playback;
  title: TitlePage | null;
  tracks: FilmTracks;
  meter: WatchMeter;
  /** To the next episode; null where there is none. */
  goOn: (() => void) | null;
}

/** All that stands around the picture: choices that are kept, chapters, cards, keys, figures. Returns how to clear it. */
export function furnishPlayer(furnished: Furnished): () => void {
  const { hls, controls, keeper, address, layer, playback, title, tracks, meter, goOn } = furnished;
  const { frame, media, video } = controls;
  const { storyboardUrl, durationSeconds, resumeAtSeconds } = playback;
  const chapters = title?.chapters ?? [];
  const stats = statsOverlay(hls, video, { grants: keeper, meter, last: noteSegments(hls) });
  frame.append(stats.overlay);
  const ends = [
    stats.stop,
    keepCaptions(hls, video, frame, tracks),
    keepSound(hls, media, frame, tracks),
    keepQuality(hls, media, frame),
    keepSpeed(video, frame),
    showChapters(video, chapters, controls.chapters),
    skipButton(layer, video, chapters, durationSeconds),
    listenToKeys(frame, video, {
      next: goOn,
      toggleStats: stats.toggle,
      showHelp: () => showHelp(frame),
    }),
    tellSystem(title, playback.posterUrl, goOn),
  ];
  if (storyboardUrl !== null) ends.push(seekThumbnails(video, storyboardUrl, address));
  if (resumeAtSeconds > 0) resumeCard(layer, video, resumeAtSeconds);
  if (title?.next && goOn !== null) ends.push(nextCard(layer, video, title.next, chapters, goOn));
  return () => {
    for (const end of ends) end();
  };
}
