import type HlsVideoElement from "hls-video-element";
import type { Playback, TitlePage } from "./api-client.ts";
import { element } from "./element.ts";
import { type ChapterMenu, chapterMenu } from "./show-chapters.ts";
import { pageLanguage, text } from "./strings.ts";

const SEEK_SECONDS = "10";

export interface PlayerControls {
  frame: HTMLElement;
  /** The element that hls.js plays through; it tells the menus of qualities and audio tracks. */
  media: HlsVideoElement;
  video: HTMLVideoElement;
  /** null where the film has no chapters. */
  chapters: ChapterMenu | null;
}

/** What a click on the controls leads to beyond the film. */
export interface Ways {
  goBack: () => void;
  share: () => void;
  /** null where nothing comes next. */
  goOn: (() => void) | null;
}

/** The picture with its controls (media-chrome), menus, poster and keyboard. */
export function playerControls(
  title: TitlePage | null,
  { posterUrl }: Playback,
  { goBack, share, goOn }: Ways,
): PlayerControls {
  const chapters = chapterMenu(title?.chapters ?? []);
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
    element("h1", {}, title?.name ?? "", element("small", {}, seriesOf(title))),
    element("button", { type: "button", class: "share-film", onclick: share }, text("share")),
  );
  const poster = element("media-poster-image", { slot: "poster", src: posterUrl ?? undefined });
  const frame = element(
    "media-controller",
    {
      class: "player",
      tabindex: "0",
      lang: pageLanguage,
      // Time runs from left to right in every language.
      dir: "ltr",
      autohide: "3",
      // Our own list says it in the viewer's language, and all of it.
      hotkeys: "noshift+/",
    },
    media,
    posterUrl === null ? null : poster,
    top,
    element("media-loading-indicator", { slot: "centered-chrome", noautohide: true }),
    element("div", { slot: "centered-chrome", class: "big-play" }, element("media-play-button")),
    settingsMenu(chapters),
    element("media-control-bar", { class: "seek-bar" }, element("media-time-range")),
    controlBar(goOn),
  );
  // The page and not this element: the next episode goes on in full screen.
  Object.assign(frame, { fullscreenElement: document.querySelector("#app") });
  const { nativeEl } = media as unknown as { nativeEl: HTMLVideoElement };
  return { frame, media, video: nativeEl, chapters };
}

/** Of an episode: the series and the season that it is a part of. */
function seriesOf(title: TitlePage | null): string {
  return (title?.parents ?? []).map(({ name }) => name).join("  ·  ");
}

function controlBar(goOn: (() => void) | null): HTMLElement {
  const label = text("nextEpisode");
  const next =
    goOn === null
      ? null
      : element("button", {
          type: "button",
          class: "go-on",
          "aria-label": label,
          title: label,
          onclick: goOn,
        });
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
    next,
    element("media-captions-button"),
    element("media-settings-menu-button"),
    element("media-pip-button"),
    element("media-fullscreen-button"),
  );
}

function settingsMenu(chapters: HTMLElement | null): HTMLElement {
  const wrap = (label: string, menu: HTMLElement) => element("media-settings-menu-item", {}, label, menu);
  const item = (label: string, menuTag: string, properties: Record<string, string> = {}) => {
    const title = element("div", { slot: "title" }, label);
    return wrap(label, element(menuTag, { slot: "submenu", hidden: true, ...properties }, title));
  };
  const menu = element(
    "media-settings-menu",
    { hidden: true, anchor: "auto" },
    item(text("quality"), "media-rendition-menu"),
    item(text("speed"), "media-playback-rate-menu", { rates: "0.5 0.75 1 1.25 1.5 2" }),
    item(text("audio"), "media-audio-track-menu"),
    item(text("captions"), "media-captions-menu"),
    chapters === null ? null : wrap(text("chapters"), chapters),
  );
  // media-chrome's own words for it are English in every language.
  for (const submenu of menu.querySelectorAll("[slot=submenu]"))
    submenu.shadowRoot?.querySelector("button[part~=back]")?.setAttribute("aria-label", text("backToMenu"));
  return menu;
}
