import type { Page } from "playwright-core";
import type { PlayingWindow } from "./browser.ts";

/** What tests ask of the film that plays. Others may keep the machine busy: waits are long, and end with the state. */

export const PLAYING_MS = 120_000;

/** Resolves once so many frames were shown. */
export async function waitForFrames(page: Page, frames: number): Promise<void> {
  await page.waitForFunction(
    (wanted) => {
      const { matinee } = window as unknown as Partial<PlayingWindow>;
      return (matinee?.video.getVideoPlaybackQuality().totalVideoFrames ?? 0) >= wanted;
    },
    frames,
    { timeout: PLAYING_MS },
  );
}

export function shownFrames(page: Page): Promise<number> {
  return page.evaluate(
    () => (window as unknown as PlayingWindow).matinee.video.getVideoPlaybackQuality().totalVideoFrames,
  );
}

export async function waitForHeight(page: Page, height: number): Promise<void> {
  await page.waitForFunction(
    (wanted) => (window as unknown as PlayingWindow).matinee.video.videoHeight === wanted,
    height,
    { timeout: PLAYING_MS },
  );
}

/** Resolves once the film has come so far, and is not just on its way there. */
export async function waitForPosition(page: Page, seconds: number): Promise<void> {
  await page.waitForFunction(
    (wanted) => {
      const { matinee } = window as unknown as Partial<PlayingWindow>;
      return matinee !== undefined && !matinee.video.seeking && matinee.video.currentTime >= wanted;
    },
    seconds,
    { timeout: PLAYING_MS },
  );
}

/** Resolves once the film has come so far. From there it stands, so that what is looked at next does not run away. */
export async function pauseFrom(page: Page, seconds: number): Promise<void> {
  await page.waitForFunction(
    (wanted) => {
      const { matinee } = window as unknown as Partial<PlayingWindow>;
      if (matinee === undefined) return false;
      const { video } = matinee;
      if (video.played.length === 0 || video.seeking || video.currentTime < wanted) return false;
      video.pause();
      return true;
    },
    seconds,
    { timeout: PLAYING_MS },
  );
}

/** Has the film stand at that moment. */
export async function standAt(page: Page, seconds: number): Promise<void> {
  await page.evaluate((at) => {
    const { video } = (window as unknown as PlayingWindow).matinee;
    video.pause();
    video.currentTime = at;
  }, seconds);
  await waitForPosition(page, seconds);
}

export async function seek(page: Page, seconds: number): Promise<void> {
  await page.evaluate((to) => {
    const { video } = (window as unknown as PlayingWindow).matinee;
    video.currentTime = to;
    return video.play();
  }, seconds);
}

/** Has hls.js follow these settings, in every film that the page will play. */
export async function withSettings(page: Page, settings: object): Promise<void> {
  await page.addInitScript((wanted) => {
    let kept: PlayingWindow["matinee"] | undefined;
    Object.defineProperty(window, "matinee", {
      configurable: true,
      get: () => kept,
      set: (playing: PlayingWindow["matinee"]) => {
        kept = playing;
        Object.assign(playing.hls.config, wanted);
      },
    });
  }, settings);
}
