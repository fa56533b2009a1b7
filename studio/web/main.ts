import { ApiProblem, openApi } from "../api-client.ts";
import { showDesk } from "./desk.ts";
import { element } from "./element.ts";
import { button } from "./form-parts.ts";
import { problemOf, saidNodes } from "./problem-text.ts";
import { forgetToken, hasToken, takeToken } from "./session-token.ts";
import { showSignIn } from "./sign-in.ts";
import { pageLanguage, text } from "./strings.ts";

function header(): HTMLElement {
  const leave = () => {
    forgetToken();
    location.reload();
  };
  return element(
    "header",
    { class: "site" },
    element("span", { class: "brand" }, "Matinee ", element("b", {}, text("studio"))),
    element("a", { class: "quiet", href: "/player/", target: "_blank", rel: "opener" }, text("cinema")),
    button("signOut", "quiet", leave),
  );
}

async function start(root: HTMLElement): Promise<void> {
  document.documentElement.lang = pageLanguage;
  addEventListener("hashchange", () => hasToken() && location.reload());
  const token = takeToken();
  if (token === null) {
    showSignIn(root, null);
    return;
  }
  const page = element("main", {});
  root.replaceChildren(header(), page);
  try {
    await showDesk(page, openApi("", token));
  } catch (thrown) {
    if (thrown instanceof ApiProblem && (thrown.status === 401 || thrown.status === 403)) {
      forgetToken();
      showSignIn(root, problemOf(thrown).words);
      return;
    }
    const retry = element("button", { type: "button", class: "primary", onclick: () => location.reload() });
    retry.textContent = text("retry");
    page.replaceChildren(
      element(
        "div",
        { class: "panel", role: "alert" },
        element("p", {}, ...saidNodes(problemOf(thrown))),
        retry,
      ),
    );
  }
}

void start(document.querySelector("#app")!);
