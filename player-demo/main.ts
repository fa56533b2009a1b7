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
import { showSignIn } from "./sign-in.ts";
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

/** Asks for a token; the page then begins anew. */
function askToken(root: HTMLElement, refusal: string | null): void {
  showSignIn(root, refusal, (token) => {
    keepToken(token);
    location.reload();
  });
}

async function browse(page: HTMLElement, api: ViewerApi, root: HTMLElement): Promise<void> {
  try {
    await showHome(page, api);
  } catch (thrown) {
    if (thrown instanceof ApiProblem && thrown.status === 401) {
      forgetToken();
      askToken(root, problemText(thrown));
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
    askToken(root, null);
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
    if (takeToken() !== api.token) {
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
