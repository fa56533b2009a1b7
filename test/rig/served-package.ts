import type Hls from "hls.js";
import type { Page } from "playwright-core";
import type { ScriptedWindow } from "./scripted-window.ts";

const HLS_JS = "node_modules/hls.js/dist/hls.min.js";

export interface Level {
  codec: string;
  range: string;
  height: number;
}

interface PlayerWindow extends Pick<ScriptedWindow, "Hls"> {
  hls: Hls;
  failures: string[];
}

/** A page where hls.js has a package open that is served from memory: the levels that it found playable. */
export async function openInHls(page: Page, files: ReadonlyMap<string, Uint8Array>): Promise<Level[]> {
  await page.route("http://package.test/**", async (route) => {
    const path = new URL(route.request().url()).pathname.slice(1);
    const bytes = files.get(path);
    if (path === "") await route.fulfill({ contentType: "text/html", body: "<video muted></video>" });
    else if (bytes === undefined) await route.fulfill({ status: 404 });
    else await route.fulfill({ body: Buffer.from(bytes) });
  });
  await page.goto("http://package.test/");
  await page.addScriptTag({ path: HLS_JS });
  return page.evaluate(async () => {
    const view = window as unknown as PlayerWindow;
    view.failures = [];
    view.hls = new view.Hls();
    view.hls.on(view.Hls.Events.ERROR, (_event: string, data: { details: string }) =>
      view.failures.push(data.details),
    );
    const parsed = new Promise((resolve) => view.hls.once(view.Hls.Events.MANIFEST_PARSED, resolve));
    view.hls.loadSource("http://package.test/main.m3u8");
    await parsed;
    return view.hls.levels.map(({ videoCodec = "", videoRange, height }) => ({
      codec: videoCodec,
      range: videoRange,
      height,
    }));
  });
}

/** Plays one level over an instant, from half a second before it to half a second after; what hls.js complained of. */
export async function playOver(page: Page, level: number, seconds: number): Promise<string[]> {
  await page.evaluate(
    async ([index, from]) => {
      const { hls } = window as unknown as PlayerWindow;
      const video = document.querySelector("video")!;
      hls.startLevel = index;
      hls.currentLevel = index;
      hls.attachMedia(video);
      await new Promise((resolve) => video.addEventListener("loadeddata", resolve, { once: true }));
      video.currentTime = from;
      await video.play();
    },
    [level, seconds - 0.5] as const,
  );
  await page.waitForFunction((until) => document.querySelector("video")!.currentTime > until, seconds + 0.5, {
    timeout: 120_000,
  });
  return page.evaluate(() => (window as unknown as PlayerWindow).failures);
}
