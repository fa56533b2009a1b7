/** Leads the preview in `frame` to a moment of the film, and begins it where nobody has yet. */
export function seekPreview(frame: HTMLElement, seconds: number): void {
  frame.scrollIntoView({ block: "center" });
  const video = frame.querySelector("video");
  // There is one where the preview has not begun, or has stopped.
  const start = frame.querySelector("button");
  if (video !== null && start === null) {
    lead(video, seconds);
    return;
  }
  const begun = new MutationObserver(() => {
    const arrived = frame.querySelector("video");
    if (arrived === null || arrived === video) return;
    begun.disconnect();
    lead(arrived, seconds);
  });
  begun.observe(frame, { childList: true, subtree: true });
  start?.click();
}

function lead(video: HTMLVideoElement, seconds: number): void {
  const seek = () => {
    video.currentTime = seconds;
  };
  // Before a film has come its player would begin at the start all the same.
  if (video.readyState === HTMLMediaElement.HAVE_NOTHING)
    video.addEventListener("loadedmetadata", seek, { once: true });
  else seek();
  video.focus();
}
