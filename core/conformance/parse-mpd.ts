/** A small strict XML reader and the few facts of an MPD (ISO/IEC 23009-1) that the rules ask about. */

export interface Element {
  name: string;
  attributes: ReadonlyMap<string, string>;
  children: Element[];
  text: string;
}

export interface ManifestRepresentation {
  id: string;
  kind: string;
  codecs: string;
  bandwidthBps: number;
  initialization: string;
  /** The one file that it is (BaseURL), where it has no segments. */
  file: string | null;
  /** Code point of its curve (ISO/IEC 23091-2), and whether a client that does not know it must leave it alone. */
  transfer: { value: number; essential: boolean } | null;
  /** What it says of common encryption (23001-7 11.2): four letters, and the key id without dashes. */
  protection: { scheme: string; keyId: string } | null;
  timescale: number;
  /** Paths and durations of its segments, in order. */
  segments: { uri: string; startTicks: number; durationTicks: number }[];
}

export interface Manifest {
  root: Element | null;
  durationSeconds: number;
  representations: ManifestRepresentation[];
  faults: string[];
}

/** Reads an MPD with SegmentTemplate and SegmentTimeline. Never throws: what is wrong stands in `faults`. */
export function parseMpd(text: string): Manifest {
  const faults: string[] = [];
  const root = parseXml(text, faults);
  const representations: ManifestRepresentation[] = [];
  for (const period of childrenOf(root, "Period"))
    for (const set of childrenOf(period, "AdaptationSet"))
      for (const one of childrenOf(set, "Representation"))
        representations.push(representation(one, set, faults));
  const duration = root?.attributes.get("mediaPresentationDuration");
  return { root, durationSeconds: isoSeconds(duration), representations, faults };
}

function representation(one: Element, set: Element, faults: string[]): ManifestRepresentation {
  const value = (name: string): string => one.attributes.get(name) ?? set.attributes.get(name) ?? "";
  const id = value("id");
  const template = childrenOf(one, "SegmentTemplate")[0] ?? childrenOf(set, "SegmentTemplate")[0];
  const timeline = childrenOf(template ?? null, "SegmentTimeline")[0];
  const file = template === undefined ? (childrenOf(one, "BaseURL")[0]?.text.trim() ?? null) : null;
  if (file === null && timeline === undefined) faults.push(`${id} has no SegmentTimeline`);
  const start = Number(template?.attributes.get("startNumber") ?? 1);
  const segments: ManifestRepresentation["segments"] = [];
  let time = 0;
  for (const run of childrenOf(timeline ?? null, "S")) {
    const durationTicks = Number(run.attributes.get("d"));
    time = Number(run.attributes.get("t") ?? time);
    for (let left = Number(run.attributes.get("r") ?? 0); left >= 0; left--) {
      const uri = filled(template?.attributes.get("media") ?? "", id, start + segments.length, time);
      segments.push({ uri, startTicks: time, durationTicks });
      time += durationTicks;
    }
  }
  return {
    id,
    kind: value("contentType") || value("mimeType").split("/")[0] || "",
    codecs: value("codecs"),
    bandwidthBps: Number(value("bandwidth")),
    file,
    initialization: filled(template?.attributes.get("initialization") ?? "", id, 0, 0),
    transfer: transferOf(set),
    protection: protectionOf(one) ?? protectionOf(set),
    timescale: Number(template?.attributes.get("timescale") ?? 1),
    segments,
  };
}

function transferOf(set: Element): ManifestRepresentation["transfer"] {
  for (const name of ["EssentialProperty", "SupplementalProperty"])
    for (const { attributes } of childrenOf(set, name))
      if (attributes.get("schemeIdUri") === "urn:mpeg:mpegB:cicp:TransferCharacteristics")
        return { value: Number(attributes.get("value")), essential: name === "EssentialProperty" };
  return null;
}

function protectionOf(element: Element): ManifestRepresentation["protection"] {
  const found = childrenOf(element, "ContentProtection").find(
    ({ attributes }) => attributes.get("schemeIdUri") === "urn:mpeg:dash:mp4protection:2011",
  );
  if (found === undefined) return null;
  const keyId = (found.attributes.get("cenc:default_KID") ?? "").replaceAll("-", "").toLowerCase();
  return { scheme: found.attributes.get("value") ?? "", keyId };
}

/** 23009-1 5.3.9.4.4. */
function filled(template: string, id: string, number: number, time: number): string {
  return template
    .replaceAll("$RepresentationID$", id)
    .replace(/\$Number(?:%0(\d+)d)?\$/g, (_, width?: string) =>
      String(number).padStart(Number(width ?? 1), "0"),
    )
    .replace(/\$Time\$/g, String(time))
    .replaceAll("$$", "$");
}

export function childrenOf(element: Element | null, name: string): Element[] {
  return element?.children.filter((child) => child.name === name) ?? [];
}

export function isoSeconds(text: string | undefined): number {
  const match = /^PT(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?$/.exec(text ?? "");
  if (match === null) return Number.NaN;
  return Number(match[1] ?? 0) * 3600 + Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0);
}

const TOKEN =
  /<\?[^>]*\?>|<!--[\s\S]*?-->|<(\/?)([A-Za-z_][\w:.-]*)((?:\s+[\w:.-]+\s*=\s*"[^"<]*")*)\s*(\/?)>|([^<]+)/gy;

/** XML 1.0 without DTDs, entities of our own or CDATA: all that an MPD needs. */
function parseXml(text: string, faults: string[]): Element | null {
  const top: Element = { name: "", attributes: new Map(), children: [], text: "" };
  const open: Element[] = [top];
  TOKEN.lastIndex = 0;
  let at = 0;
  for (let match = TOKEN.exec(text); match !== null && at < text.length; match = TOKEN.exec(text)) {
    at = TOKEN.lastIndex;
    const [, closing, name, attributes = "", selfClosing, content = ""] = match;
    if (name === undefined) {
      open.at(-1)!.text += plain(content);
      continue;
    }
    if (closing) {
      if (open.pop()?.name !== name) faults.push(`</${name}> closes nothing`);
      if (open.length === 0) return null;
      continue;
    }
    const element: Element = { name, attributes: attributesOf(attributes, faults), children: [], text: "" };
    open.at(-1)?.children.push(element);
    if (!selfClosing) open.push(element);
  }
  if (at < text.length) faults.push(`not XML from character ${at}`);
  if (open.length !== 1) faults.push(`<${open.at(-1)?.name}> is not closed`);
  if (top.children.length !== 1) faults.push(`${top.children.length} root elements`);
  return top.children[0] ?? null;
}

function attributesOf(text: string, faults: string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name = "", value = ""] of text.matchAll(/([\w:.-]+)\s*=\s*"([^"]*)"/g)) {
    if (found.has(name)) faults.push(`attribute ${name} twice`);
    found.set(name, plain(value));
  }
  return found;
}

function plain(text: string): string {
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, entity: string) => ENTITIES[entity] ?? "");
}

const ENTITIES: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
