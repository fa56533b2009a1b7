import type { Title } from "../answers.ts";
import { element } from "./element.ts";
import { pageLanguage, text } from "./strings.ts";
import type { StringKey } from "./strings-en.ts";

/** One of the titles that show an asset, to be chosen: its name, its state, and from when to when viewers see it. */
export interface TitleChoice {
  root: HTMLElement;
  update(title: Title): void;
  mark(isChosen: boolean): void;
}

/** Called as one that is new until it is told which it is; kept while that changes, so that focus stays. */
export function titleChoice(id: string, choose: () => void): TitleChoice {
  const radio = element("input", { type: "radio", name: "title-choice", value: id, onchange: choose });
  const name = element("span", { class: "card-name" }, text("newTitle"));
  const state = element("span", { class: "chip", hidden: true });
  const times = element("span", { class: "facts" });
  return {
    root: element("label", {}, radio, name, times, state),
    update(title) {
      name.textContent = nameOf(title);
      state.hidden = false;
      showTitleState(state, title);
      times.textContent = timesOf(title);
    },
    mark(isChosen) {
      radio.checked = isChosen;
    },
  };
}

/** The name in the page's language, or else in any. */
export function nameOf({ name }: Title): string {
  return name[pageLanguage] ?? name.en ?? Object.values(name)[0] ?? "";
}

/** Lights the lamp of a title's state. */
export function showTitleState(chip: HTMLElement, { state }: Title): void {
  chip.textContent = text(`title_${state}` as StringKey);
  chip.dataset.state = state === "published" || state === "scheduled" ? "ready" : "waiting";
}

function timesOf({ availableFrom, availableUntil }: Title): string {
  const clock = new Intl.DateTimeFormat(pageLanguage, { dateStyle: "medium", timeStyle: "short" });
  const said = (key: StringKey, time: string | null | undefined) =>
    time ? text(key, { time: clock.format(new Date(time)) }) : null;
  const times = [said("shownFrom", availableFrom), said("shownUntil", availableUntil)];
  return times.filter((time) => time !== null).join(" ");
}
