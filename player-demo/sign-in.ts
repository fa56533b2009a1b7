import { element } from "./element.ts";
import { openDialog } from "./player-dialog.ts";
import { text } from "./strings.ts";
import type { WatchLayer } from "./watch-layer.ts";

/** Where a token is put in. */
interface SignInForm {
  root: HTMLElement;
  input: HTMLInputElement;
}

/** A form that asks for a token, `refusal` above it where there was one that is no good, and hands it to `enter`. */
function signInForm(name: string, refusal: string | null, enter: (token: string) => void): SignInForm {
  const input = element("input", {
    id: "token",
    name: "token",
    type: "password",
    required: true,
    autocomplete: "off",
    ...(refusal === null ? {} : { "aria-describedby": "refusal" }),
  });
  const onsubmit = (event: Event) => {
    event.preventDefault();
    enter(input.value.trim());
  };
  const root = element(
    "form",
    { class: name, onsubmit },
    element("p", {}, text("signInText")),
    refusal === null ? null : element("p", { id: "refusal", class: "refusal", role: "alert" }, refusal),
    element("label", { for: "token" }, text("token")),
    input,
    element("button", { type: "submit", class: "primary" }, text("signIn")),
  );
  return { root, input };
}

/** Asks for a token in place of all else in `root`. */
export function showSignIn(root: HTMLElement, refusal: string | null, enter: (token: string) => void): void {
  const form = signInForm("panel", refusal, enter);
  form.root.prepend(element("p", { class: "brand" }, "Matinee"), element("h1", {}, text("signInTitle")));
  root.replaceChildren(form.root);
  form.input.focus();
}

/**
 * Asks for a token over a film that plays on meanwhile: a notice, which leads to the form. Where one was `isRefused` the
 * form is there at once and says so. Resolves with what was put in; never, where nothing is.
 */
export function askToken(frame: HTMLElement, layer: WatchLayer, isRefused: boolean): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const open = () => {
    const form = signInForm("sign-in", isRefused ? text("unauthenticated") : null, (token) => {
      notice.remove();
      close();
      resolve(token);
    });
    const close = openDialog(frame, "sign-in", text("signInAgain"), form.root);
    form.input.focus();
  };
  const lead = element("button", { type: "button", class: "primary", onclick: open }, text("signInAgain"));
  const notice = element("p", { class: "notice" }, text("tokenOver"), lead);
  layer.notices.append(notice);
  layer.say(text("tokenOver"));
  if (isRefused) open();
  return promise;
}
