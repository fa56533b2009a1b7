import "media-chrome";
import "media-chrome/menu";
import "media-chrome/lang/de";
import "hls-video-element";
import { ApiProblem, openViewerApi, type ViewerApi } from "./api-client.ts";
import { element } from "./element.ts";
import { showHome } from "./home-view.ts";
import { problemPanel, problemText } from "./problem-panel.ts";
import { forgetToken, keepToken, readHash, takeToken } from "./session-token.ts";
import { pageLanguage, text } from "./strings.ts";
import { showWatch } from "./watch-view.ts";

function header(): HTMLElement {
  const leave = () => {
    forgetToken();
    location.assign(location.pathname);
  };
  return element(
    "header",
    { class: "site" },
    element("a", { class: "brand", href: "#" }, "Matinee"),
    element("button", { type: "button", class: "quiet", onclick: leave }, text("signOut")),
  );
}

function showSignIn(root: HTMLElement): void {
  const input = element("input", {
    id: "token",
    name: "token",
    type: "password",
    required: true,
    autocomplete: "off",
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
      showSignIn(root);
      return;
    }
    const retry = { label: text("retry"), run: () => void browse(page, api, root) };
    page.replaceChildren(problemPanel(problemText(thrown), retry));
  }
}

function start(root: HTMLElement): void {
  document.documentElement.lang = pageLanguage;
  const token = takeToken();
  if (token === null) {
    showSignIn(root);
    return;
  }
  const api = openViewerApi(token);
  const page = element("div", { class: "page" });
  let leave: () => void = () => undefined;
  const route = () => {
    leave();
    leave = () => undefined;
    if (takeToken() !== token) {
      location.reload();
      return;
    }
    const { titleId } = readHash(location.hash);
    if (titleId === null) {
      root.replaceChildren(header(), page);
      void browse(page, api, root);
    } else {
      root.replaceChildren(page);
      leave = showWatch(page, api, titleId);
    }
  };
  addEventListener("hashchange", route);
  route();
}

start(document.querySelector("#app")!);
