import { join } from "node:path";
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright-core";
import { PLAYING_MS } from "./playing.ts";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
];

export interface Watched {
  context: BrowserContext;
  /** Errors in the console, exceptions, refused answers and requests to anywhere else, of every page opened. */
  complaints: string[];
}

/** Keeps a picture of the page where somebody wants to look at it. */
export async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env.MATINEE_TEST_SHOTS;
  // What moves is shown as it comes to rest.
  if (folder !== undefined)
    await page.screenshot({ path: join(folder, `${name}.png`), animations: "disabled" });
}

export function launchBrowser(): Promise<Browser> {
  const executablePath = process.env.MATINEE_TEST_CHROMIUM ?? "/usr/bin/chromium";
  return chromium.launch({ executablePath, args: FLAGS, timeout: PLAYING_MS });
}

/** A context whose pages' complaints are kept: a desktop in English, unless told otherwise. Its waits are those of playing. */
export async function openContext(browser: Browser, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    locale: "en-US",
    ...options,
  });
  // Playwright's own half a minute is soon over where others keep the machine busy.
  context.setDefaultTimeout(PLAYING_MS);
  const complaints: string[] = [];
  context.on("page", (page) => listen(page, complaints));
  return { context, complaints };
}

function listen(page: Page, complaints: string[]): void {
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`exception: ${error.message}`));
  page.on("response", (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
  });
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol.startsWith("http") && hostname !== "127.0.0.1") complaints.push(`outside: ${request.url()}`);
  });
}

/** What the player page plays, as it shows itself to tests. */
export interface PlayingWindow {
  matinee: {
    video: HTMLVideoElement;
    hls: {
      levels: { height: number; averageBitrate: number; uri: string }[];
      autoLevelEnabled: boolean;
      currentLevel: number;
      audioTracks: { lang?: string }[];
      audioTrack: number;
      config: object;
    };
  };
}
