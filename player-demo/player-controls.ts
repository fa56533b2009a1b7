import type HlsVideoElement from "hls-video-element";
import { element } from "./element.ts";
import { pageLanguage, text } from "./strings.ts";

const SEEK_SECONDS = "10";

export interface PlayerControls {
  frame: HTMLElement;
  /** The element that hls.js plays through; it tells the menus of qualities and audio tracks. */
  media: HlsVideoElement;
  video: HTMLVideoElement;
}

/** The picture with its controls (media-chrome), menus, poster and keyboard. */
export function playerControls(name: string, posterUrl: string | null, goBack: () => void): PlayerControls {
  const media = element("hls-video", {
    slot: "media",
    playsinline: true,
    crossorigin: "anonymous",
  }) as HlsVideoElement;
  const top = element(
    "div",
    { slot: "top-chrome", class: "top-chrome" },
    element(
      "button",
      { type: "button", class: "back", "aria-label": text("backToFilms"), onclick: goBack },
      "←",
    ),
    element("h1", {}, name),
  );
  const poster = element("media-poster-image", { slot: "poster", src: posterUrl ?? undefined });
  const frame = element(
    "media-controller",
    { class: "player", tabindex: "0", lang: pageLanguage, autohide: "3" },
    media,
    posterUrl === null ? null : poster,
    top,
    element("media-loading-indicator", { slot: "centered-chrome", noautohide: true }),
    element("div", { slot: "centered-chrome", class: "big-play" }, element("media-play-button")),
    settingsMenu(),
    element("media-control-bar", { class: "seek-bar" }, element("media-time-range")),
    controlBar(),
  );
  const { nativeEl } = media as unknown as { nativeEl: HTMLVideoElement };
  return { frame, media, video: nativeEl };
}

function controlBar(): HTMLElement {
  return element(
    "media-control-bar",
    { class: "bar" },
    element("media-play-button"),
    element("media-seek-backward-button", { seekoffset: SEEK_SECONDS }),
    element("media-seek-forward-button", { seekoffset: SEEK_SECONDS }),
    element("media-mute-button"),
    element("media-volume-range"),
    element("media-time-display", { showduration: true }),
    element("span", { class: "gap" }),
    element("media-captions-button"),
    element("media-settings-menu-button"),
    element("media-pip-button"),
    element("media-fullscreen-button"),
  );
}

function settingsMenu(): HTMLElement {
  const item = (label: string, menuTag: string, properties: Record<string, string> = {}) =>
    element(
      "media-settings-menu-item",
      {},
      label,
      element(
        menuTag,
        { slot: "submenu", hidden: true, ...properties },
        element("div", { slot: "title" }, label),
      ),
    );
  return element(
    "media-settings-menu",
    { hidden: true, anchor: "auto" },
    item(text("quality"), "media-rendition-menu"),
    item(text("speed"), "media-playback-rate-menu", { rates: "0.5 0.75 1 1.25 1.5 2" }),
    item(text("audio"), "media-audio-track-menu"),
    item(text("captions"), "media-captions-menu"),
  );
}
