const REMEMBERED = "matinee-speed";

/** Plays as fast as was last chosen in this tab. Returns how to end it. */
export function keepSpeed(video: HTMLVideoElement, frame: HTMLElement): () => void {
  const kept = Number(sessionStorage.getItem(REMEMBERED));
  if (kept > 0 && kept <= 4) {
    // Loading a source sets the rate back to the default one.
    video.defaultPlaybackRate = kept;
    video.playbackRate = kept;
  }
  // What a person asks for: hls.js and the browser change the rate too.
  const onRequest = (event: Event) => {
    sessionStorage.setItem(REMEMBERED, String((event as CustomEvent<number | string>).detail));
  };
  frame.addEventListener("mediaplaybackraterequest", onRequest);
  return () => frame.removeEventListener("mediaplaybackraterequest", onRequest);
}
