import { ApiProblem } from "./api-problem.ts";
import { element } from "./element.ts";
import { pageLanguage, type StringKey, text } from "./strings.ts";

/** What a failure means to the person in front of the screen. */
export function problemText(thrown: unknown): string {
  return text(problemKey(thrown));
}

function problemKey(thrown: unknown): StringKey {
  if (!(thrown instanceof ApiProblem)) return "unknown";
  if (thrown.status === 0) return "unreachable";
  if (thrown.status === 401 || thrown.status === 403) return "unauthenticated";
  if (thrown.code === "too_many_streams") return "tooManyStreams";
  if (thrown.code === "playback_over") return "sessionOver";
  if (thrown.status === 404) return "notFound";
  if (thrown.code === "unsupported") return "unsupported";
  if (thrown.status === 409) return "notPlayable";
  if (thrown.status === 429) return "busy";
  return "unknown";
}

/** What plays on the account's other screens, as a list; null where that is not what is wrong. */
export function otherScreens(thrown: unknown): HTMLElement | null {
  if (!(thrown instanceof ApiProblem) || thrown.streams.length === 0) return null;
  const clock = new Intl.DateTimeFormat(pageLanguage, { timeStyle: "short" });
  const lines = thrown.streams.map(({ title, startedAt }) =>
    element("li", {}, text("watchingSince", { title, time: clock.format(new Date(startedAt)) })),
  );
  return element("ul", {}, ...lines);
}

/** The panel that says so, with more about it and with what can be done. */
export function problemPanel(
  message: string,
  more: HTMLElement | null,
  ...actions: { label: string; run: () => void }[]
): HTMLElement {
  const buttons = actions.map(({ label, run }, index) =>
    element("button", { type: "button", class: index === 0 ? "primary" : "quiet", onclick: run }, label),
  );
  return element(
    "div",
    { class: "panel", role: "alert" },
    element("h2", {}, text("problemTitle")),
    element("p", {}, message),
    more,
    element("div", { class: "actions" }, ...buttons),
  );
}
