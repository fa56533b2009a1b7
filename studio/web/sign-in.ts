import { element } from "./element.ts";
import { keepToken } from "./session-token.ts";
import { text } from "./strings.ts";

/** Asks for a token, `message` above it where there was one that is no good; the page then begins anew. */
export function showSignIn(root: HTMLElement, message: string | null): void {
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
    element("span", { class: "brand" }, "Matinee ", element("b", {}, text("studio"))),
    element("h1", {}, text("signInTitle")),
    element("p", {}, text("signInText")),
    message === null ? null : element("p", { class: "bad", role: "alert" }, message),
    element("label", { for: "token" }, text("token")),
    input,
    element("button", { type: "submit", class: "primary" }, text("signIn")),
  );
  root.replaceChildren(form);
  input.focus();
}
