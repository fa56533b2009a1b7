import { AUDIO_CODECS } from "./accepted-media.ts";
import { sourceFailure } from "./errors.ts";
import type { PacketTable } from "./packet-table.ts";
import type { ProbeStream } from "./probe-report.ts";
import { refuseEncrypted, roundToMicros } from "./probed-picture.ts";
import type { AudioRole, SourceAudio, SourceSubtitle, SubtitleRole } from "./source.ts";

/** A sound track as the plan needs it, in a list; none where it is empty. Throws `unsupported_codec`. */
export function describeAudio(stream: ProbeStream, packets: PacketTable): SourceAudio[] {
  const codec = stream.codec_name ?? "unknown";
  const span = packets.spans.get(stream.index);
  // A track that announces itself and holds nothing is no track.
  if (span === undefined) return [];
  refuseEncrypted(packets, stream, "A sound");
  if (!AUDIO_CODECS.has(codec))
    throw sourceFailure("unsupported_codec", `Sound coded as ${codec} is not taken.`);
  return [
    {
      streamIndex: stream.index,
      codec,
      channels: stream.channels || 2,
      sampleRateHz: Number(stream.sample_rate) || 48_000,
      language: languageOf(stream),
      label: labelOf(stream),
      role: roleOf(stream),
      startSeconds: roundToMicros(span.startSeconds),
      durationSeconds: roundToMicros(span.endSeconds - span.startSeconds),
    },
  ];
}

/** A track of text, whatever its codec: which ones are made is decided later. */
export function describeSubtitle(stream: ProbeStream): SourceSubtitle {
  return {
    streamIndex: stream.index,
    codec: stream.codec_name ?? "unknown",
    language: languageOf(stream),
    label: labelOf(stream),
    role: subtitleRoleOf(stream),
  };
}

const SDH = /\bSDH\b|\bCC\b|hearing.impaired|closed caption|h(ö|oe)rgesch(ä|ae)digt|malentendant/i;
const FORCED = /\bforced\b|erzwungen|forcé/i;

/** What the container flags, else what the title says. A forced track is small: nothing else is shown in its place. */
function subtitleRoleOf(stream: ProbeStream): SubtitleRole {
  const flags = stream.disposition ?? {};
  const title = stream.tags?.title ?? "";
  if (flags.forced || FORCED.test(title)) return "forced";
  if (flags.hearing_impaired || flags.captions || SDH.test(title)) return "sdh";
  return flags.comment || COMMENTARY.test(title) ? "commentary" : "main";
}

const DESCRIPTION = /descri(be|pti)|deskription|h(ö|oe)rfilm|visually impaired|\bDVS\b/i;
const COMMENTARY = /comment|kommentar/i;

/** What the container flags, else what the title says. */
function roleOf(stream: ProbeStream): AudioRole {
  const flags = stream.disposition ?? {};
  const title = stream.tags?.title ?? "";
  if (flags.visual_impaired || flags.descriptions || DESCRIPTION.test(title)) return "description";
  return flags.comment || COMMENTARY.test(title) ? "commentary" : "main";
}

/** The track's name for people: one line of text without what playlists quote with, or null. */
function labelOf(stream: ProbeStream): string | null {
  const text = (stream.tags?.title ?? "")
    .replace(/[\p{C}"]+/gu, " ")
    .trim()
    .replace(/\s+/g, " ");
  return [...text].slice(0, 100).join("") || null;
}

/** BCP-47 from a container's letters (`eng` → `en`, `pt_BR` → `pt-BR`); `und` where it does not say or is no language. */
function languageOf(stream: ProbeStream): string {
  const tag = (stream.tags?.language ?? "und").replaceAll("_", "-");
  // RFC 5646 2.2.1: registered languages have two or three letters; longer words are a file's free text.
  if (!/^[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}$/i.test(tag)) return "und";
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? "und";
  } catch {
    return "und";
  }
}
