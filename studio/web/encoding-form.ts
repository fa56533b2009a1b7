import { type Codec, ENCODING_WORDS, type EncodingSettings, unprotectable } from "../encoding-wish.ts";
import { element } from "./element.ts";
import { text } from "./strings.ts";
import type { StringKey } from "./strings-en.ts";

/** How a film is to be encoded: the choices with what each costs. The same for a film that comes and for one that is there. */
export interface EncodingForm {
  root: HTMLElement;
  /** What is chosen now. What is not asked here is as it was. */
  read(): EncodingSettings;
}

/** H.264 is always made. */
const OTHER_CODECS = ENCODING_WORDS.codecs.filter((codec) => codec !== "h264");

/** `id` tells its fields from those of another such form on the page. `change` events bubble from it. */
export function encodingForm(id: string, first: EncodingSettings): EncodingForm {
  const speed = oneOf(id, "speed", ENCODING_WORDS.speed, first.speed);
  const ladder = oneOf(id, "rungs", ENCODING_WORDS.ladder, first.ladder);
  const codecs = OTHER_CODECS.map((codec) => ({
    codec,
    field: choice(id, "checkbox", "codecs", codec, first.codecs.includes(codec)),
  }));
  const protection = choice(id, "checkbox", "apart", "clearkey", first.protection === "clearkey");
  const backfill = choice(id, "checkbox", "apart", "backfill", first.lane === "backfill");
  const root = element(
    "div",
    { class: "encoding" },
    ...[speed.root, ladder.root],
    group("codecs", ...codecs.map(({ field }) => field)),
    group("apart", protection, backfill),
  );
  const chosenCodecs = (): Codec[] => [
    "h264",
    ...codecs.filter(({ field }) => inputOf(field).checked).map(({ codec }) => codec),
  ];
  /** What does not go together with what is chosen cannot be chosen. */
  const settle = () => {
    inputOf(protection).disabled = unprotectable(chosenCodecs()).length > 0;
    for (const { codec, field } of codecs)
      inputOf(field).disabled = inputOf(protection).checked && unprotectable([codec]).length > 0;
  };
  root.addEventListener("change", settle);
  settle();
  return {
    root,
    read: () => ({
      ...first,
      codecs: chosenCodecs(),
      speed: speed.read(),
      ladder: ladder.read(),
      lane: inputOf(backfill).checked ? "backfill" : "normal",
      protection: inputOf(protection).checked ? "clearkey" : "none",
    }),
  };
}

/** What of the settings is not what a new film has, in a few words. */
export function encodingText({ speed, ladder, codecs, lane, protection }: EncodingSettings): string {
  const words = [speed, ladder, ...codecs, lane, protection].map((word) => `encoding_${word}`);
  const own = words.filter((key) => !USUAL.has(key)).map((key) => text(key as StringKey));
  return own.length === 0 ? text("asUsual") : own.join(" · ");
}

const USUAL: ReadonlySet<string> = new Set(
  ["fast", "table", "h264", "normal", "none"].map((word) => `encoding_${word}`),
);

function group(key: StringKey, ...fields: HTMLElement[]): HTMLFieldSetElement {
  return element("fieldset", {}, element("legend", {}, text(key)), ...fields);
}

function oneOf<Word extends string>(id: string, key: StringKey, words: readonly Word[], first: Word) {
  const fields = words.map((word) => choice(id, "radio", key, word, word === first));
  return {
    root: group(key, ...fields),
    read: (): Word => words.find((_word, index) => inputOf(fields[index]!).checked) ?? first,
  };
}

/** One of the choices: its name, and below it what it costs or means. */
function choice(
  id: string,
  type: "radio" | "checkbox",
  key: string,
  word: string,
  checked: boolean,
): HTMLLabelElement {
  const input = element("input", { type, name: `${id}-${key}`, value: word, checked });
  const name = element("span", {}, text(`encoding_${word}` as StringKey));
  const price = element("small", {}, text(`price_${word}` as StringKey));
  return element("label", {}, input, name, price);
}

function inputOf(field: HTMLElement): HTMLInputElement {
  return field.querySelector("input")!;
}
