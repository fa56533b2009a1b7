import { ApiProblem, openApi } from "../api-client.ts";
import { element } from "./element.ts";
import { problemOf, saidNodes } from "./problem-text.ts";
import { queueText } from "./queue-strings.ts";
import { type Queues, queueSections } from "./queue-tables.ts";
import { forgetToken, takeToken } from "./session-token.ts";
import { showSignIn } from "./sign-in.ts";
import { pageLanguage, text } from "./strings.ts";

const RENEW_SECONDS = 5;

/** The page behind /admin/queues: nothing is in it before the API has answered for the tab's own token. */
function start(root: HTMLElement): void {
  document.documentElement.lang = pageLanguage;
  addEventListener("hashchange", () => location.reload());
  const token = takeToken();
  if (token === null) {
    showSignIn(root, queueText("forAdmins"));
    return;
  }
  const api = openApi("", token);
  const age = element("p", { class: "note", role: "status" }, text("loading"));
  const tables = element("div", { class: "work-tables" });
  const leave = () => {
    forgetToken();
    location.reload();
  };
  root.replaceChildren(
    element(
      "header",
      { class: "site" },
      element("span", { class: "brand" }, "Matinee ", element("b", {}, queueText("heading"))),
      element("a", { class: "quiet", href: "/studio/" }, text("studio")),
      element("button", { type: "button", class: "quiet", onclick: leave }, text("signOut")),
    ),
    element("main", {}, element("h1", { class: "unseen" }, queueText("heading")), age, tables),
  );
  let shownAt = "–";
  const renew = async (): Promise<void> => {
    try {
      const queues = await api.call<Queues>("GET", "/admin/queues");
      shownAt = new Date(queues.at).toLocaleTimeString(pageLanguage);
      age.textContent = queueText("asOf", { time: shownAt, seconds: RENEW_SECONDS });
      keepPlace(tables, queueSections(queues));
    } catch (thrown) {
      if (thrown instanceof ApiProblem && [401, 403, 404].includes(thrown.status)) {
        // A token that is no administrator's is still good elsewhere.
        if (thrown.status === 401) forgetToken();
        showSignIn(root, queueText("forAdmins"));
        return;
      }
      const said = problemOf(thrown);
      const words = queueText("stale", { time: shownAt, why: said.words });
      age.replaceChildren(...saidNodes({ ...said, words }));
    }
    setTimeout(whenSeen, RENEW_SECONDS * 1000);
  };
  /** A page that nobody looks at asks for nothing. */
  const whenSeen = () => {
    if (document.visibilityState === "visible") void renew();
    else document.addEventListener("visibilitychange", whenSeen, { once: true });
  };
  void renew();
}

/** Shows what is new and leaves the reader where they are: which table had the focus, and how far it was scrolled. */
function keepPlace(tables: HTMLElement, sections: readonly HTMLElement[]): void {
  const frames = (): HTMLElement[] => [...tables.querySelectorAll<HTMLElement>(".table-frame")];
  const before = frames().map((frame) => ({
    left: frame.scrollLeft,
    hasFocus: frame === document.activeElement,
  }));
  tables.replaceChildren(...sections);
  frames().forEach((frame, index) => {
    frame.scrollLeft = before[index]?.left ?? 0;
    if (before[index]?.hasFocus) frame.focus();
  });
}

start(document.querySelector("#app")!);
