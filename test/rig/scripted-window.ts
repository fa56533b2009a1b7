import type Hls from "hls.js";

interface ShakaVariant {
  id: number;
  height: number | null;
}

interface ShakaPlayer {
  addEventListener(type: "error", heard: (event: { detail: { code: number } }) => void): void;
  configure(settings: object): void;
  attach(video: HTMLVideoElement): Promise<void>;
  load(url: string): Promise<void>;
  destroy(): Promise<void>;
  getVariantTracks(): ShakaVariant[];
  selectVariantTrack(track: ShakaVariant, clearBuffer: boolean): void;
  getNetworkingEngine(): {
    registerRequestFilter(filter: (type: number, request: { headers: object }) => void): void;
  };
}

/** What the scripts of players put into a page, as far as tests use it. */
export interface ScriptedWindow {
  Hls: typeof Hls;
  shaka: {
    polyfill: { installAll(): void };
    Player: new () => ShakaPlayer;
    net: { NetworkingEngine: { RequestType: { LICENSE: number } } };
  };
}
