import "media-chrome";
import "media-chrome/menu";
import "media-chrome/lang/de";
import "hls-video-element";
import type { ViewerApi } from "./api-client.ts";
import { ApiProblem } from "./api-problem.ts";
import { goHome } from "./card-link.ts";
import { element } from "./element.ts";
import { showHome } from "./home-view.ts";
import { problemPanel, problemText } from "./problem-panel.ts";
import { searchBox } from "./search-box.ts";
import { takeSeat } from "./seat.ts";
import { forgetToken, keepToken, readHash, takeToken } from "./session-token.ts";
import { pageLanguage, text } from "./strings.ts";
import { showTitle } from "./title-dialog.ts";
import { showWatch } from "./watch-view.ts";

function header(search: HTMLElement): HTMLElement {
  const leave = () => {
    forgetToken();
    location.assign(location.pathname);
  };
  return element(
    "header",
    { class: "site" },
    element("a", { class: "brand", href: "#" }, "Matinee"),
    search,
    element("button", { type: "button", class: "quiet", onclick: leave }, text("signOut")),
  );
}

/** Asks for a token, `refusal` above it where there was one that is no good; the page then begins anew. */
function showSignIn(root: HTMLElement, refusal: string | null): void {
  const input = element("input", {
    id: "token",
    name: "token",
    type: "password",
    required: true,
    autocomplete: "off",
    ...(refusal === null ? {} : { "aria-describedby": "refusal" }),
  });
  const enter = (event: Event) => {
    event.preventDefault();
    keepToken(input.value.trim());
    location.reload();
  };
  const form = element(
    "form",
    { class: "panel", onsubmit: enter },
    element("p", { class: "brand" }, "Matinee"),
    element("h1", {}, text("signInTitle")),
    element("p", {}, text("signInText")),
    refusal === null ? null : element("p", { id: "refusal", class: "refusal", role: "alert" }, refusal),
    element("label", { for: "token" }, text("token")),
    input,
    element("button", { type: "submit", class: "primary" }, text("signIn")),
  );
  root.replaceChildren(form);
  input.focus();
}

async function browse(page: HTMLElement, api: ViewerApi, root: HTMLElement): Promise<void> {
  try {
    await showHome(page, api);
  } catch (thrown) {
    if (thrown instanceof ApiProblem && thrown.status === 401) {
      forgetToken();
      showSignIn(root, problemText(thrown));
      return;
    }
    const retry = { label: text("retry"), run: () => void browse(page, api, root) };
    page.replaceChildren(problemPanel(problemText(thrown), null, retry));
  }
}

function start(root: HTMLElement): void {
  document.documentElement.lang = pageLanguage;
  const token = takeToken();
  if (token === null) {
    showSignIn(root, null);
    return;
  }
  const seat = takeSeat(token);
  const { api } = seat;
  const page = element("div", { class: "page" });
  let isShelf = false;
  let leave: () => void = () => undefined;
  const showShelf = () => {
    if (isShelf) return;
    isShelf = true;
    const search = searchBox(api, (found) => {
      if (!isShelf) return;
      if (found === null) void browse(page, api, root);
      else page.replaceChildren(found);
    });
    root.replaceChildren(header(search), page);
    void browse(page, api, root);
  };
  const route = () => {
    leave();
    leave = () => undefined;
    if (takeToken() !== token) {
      location.reload();
      return;
    }
    const { titleId, aboutId, fromSeconds } = readHash(location.hash);
    if (titleId !== null) {
      isShelf = false;
      root.replaceChildren(page);
      leave = showWatch(page, seat, titleId, fromSeconds);
      return;
    }
    // Only films are watched in full screen; from one to the next it stays.
    if (document.fullscreenElement !== null) void document.exitFullscreen();
    showShelf();
    if (aboutId !== null) leave = showTitle(api, aboutId, goHome);
  };
  addEventListener("hashchange", route);
  route();
}

start(document.querySelector("#app")!);
