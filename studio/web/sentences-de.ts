/**
 * What the API says in English, in German: for each of its codes what it is, and what to do next. What to do about an asset's
 * failure is said beside it (`next_…`).
 */

/** Why an asset failed, by `error.code`. */
export const FAILURES: Readonly<Record<string, string>> = {
  unsupported_container: "Diese Art von Datei wird nicht angenommen.",
  unsupported_codec: "Bild oder Ton der Datei haben einen Codec, der nicht angenommen wird.",
  no_video: "Die Datei hat kein bewegtes Bild.",
  source_damaged: "Die Datei ist beschädigt oder bricht ab.",
  source_too_large: "Die Datei ist größer, als hier angenommen wird.",
  source_refused: "Unter dieser URL ist kein Film zu holen.",
  source_unreachable: "Der Server, auf dem die Datei liegt, ist nicht zu erreichen.",
  too_many_streams: "Die Datei hat zu viele Spuren.",
  dimensions_refused: "Das Bild hat eine Größe, die nicht angenommen wird.",
  timeline_invalid: "Die Zeitangaben der Datei können nicht stimmen.",
  checksum_mismatch: "Die Datei hat nicht die Prüfsumme, die beim Hochladen genannt wurde.",
  codec_unavailable: "Kein Worker hat den Encoder, den dieser Film braucht.",
  track_unusable: "Eine hinzugefügte Tonspur ist nicht zu gebrauchen.",
  protection_unavailable: "Der Schlüssel, unter dem dieser Film geschützt ist, fehlt hier.",
  encode_failed: "Beim Kodieren dieses Films ist etwas schiefgegangen.",
  findings_not_waived: "Wegen dessen, was darin gefunden wurde, ist der Film nicht fertiggestellt.",
  internal: "Bei uns ist etwas schiefgegangen.",
  upload_aborted: "Das Hochladen wurde abgebrochen.",
  upload_expired: "Das Hochladen wurde nicht rechtzeitig fertig.",
};

/** What was found in a master, by the finding's code. */
export const FINDINGS: Readonly<Record<string, string>> = {
  black: "Das Bild ist schwarz. Sieh dir die Stelle an: ist es gewollt, kann es so bleiben.",
  combing:
    "In den Bildern stecken je zwei Augenblicke, in abwechselnden Zeilen, obwohl die Datei es nicht sagt: Bewegung wirkt gekämmt. Spiele den Film neu aus, in ganzen Bildern.",
  crop_bars: "Das Bild hat schwarze Balken. Sind sie nicht gewollt, spiele den Film ohne sie aus.",
  damage:
    "Das Master ist beschädigt: nicht alles ließ sich dekodieren. Sieh oder höre dir die Stelle an und spiele den Film neu aus, wenn man es merkt.",
  duration_mismatch: "Die Datei nennt eine andere Dauer, als sie enthält. Prüfe, ob das Ende da ist.",
  flashing:
    "Das Bild blitzt mehr als dreimal in der Sekunde, was Anfälle auslösen kann. Entschärfe die Stelle, oder warne davor, ehe der Film beginnt.",
  freeze: "Das Bild steht still. Sieh dir die Stelle an: ist es gewollt, kann es so bleiben.",
  gaps: "In der Datei fehlen Bilder; das letzte davor bleibt stehen. Fehlt etwas, spiele den Film neu aus.",
  hdr: "Das Bild hat einen hohen Dynamikumfang (HDR). Soll er erhalten bleiben, lass auch HEVC machen.",
  ignored_streams: "Aus manchen Spuren der Datei wird nichts gemacht. Prüfe, ob eine davon gebraucht wird.",
  interlaced:
    "Das Bild besteht aus Halbbildern: daraus werden ganze, kein Augenblick geht verloren. Zu tun ist nichts.",
  long_audio:
    "Ein Ton reicht über das Bild hinaus; was darüber hinausgeht, entfällt. Prüfe, ob etwas davon gebraucht wird.",
  loudness:
    "Ein Ton ist sehr leise, sehr laut oder übersteuert. Höre ihn dir an und mische ihn neu, wenn es stört.",
  missing_audio: "Die Datei hat keinen Ton. Ist der Film nicht stumm, sende ihn mit Ton.",
  odd_sample_aspect:
    "Die Bildpunkte sind nicht quadratisch; gezeigt wird das Bild entzerrt. Prüfe in der Vorschau, ob es so richtig ist.",
  rotated:
    "Das Bild ist gedreht gespeichert und wird zurückgedreht gezeigt. Prüfe in der Vorschau, ob es aufrecht steht.",
  short_audio: "Ein Ton ist kürzer als das Bild. Prüfe, ob am Anfang oder am Ende etwas fehlt.",
  silence: "Ein Ton ist still. Höre dir die Stelle an: ist es gewollt, kann es so bleiben.",
  subtitle_not_convertible:
    "Eine Untertitelspur ist kein Text und wird weggelassen. Füge ihren Text als Datei hinzu.",
  variable_frame_rate:
    "Die Bilder kommen ungleichmäßig oder zu oft und werden auf einen festen Takt gebracht. Sieh dir Bewegungen in der Vorschau an.",
};

/** Why a request was refused, by the problem's `code`. */
export const PROBLEMS: Readonly<Record<string, string>> = {
  alias_taken: "Diese Worte hat schon ein anderer Link. Wähle andere.",
  asset_gone: "Dieser Film ist gelöscht oder hat kein Master. Lade die Seite neu.",
  asset_not_uploaded: "Das Hochladen ist noch nicht abgeschlossen. Warte, bis es fertig ist.",
  asset_not_waiting: "Der Film wartet nicht mehr auf diese Datei. Sende sie als neuen Film.",
  body_too_large: "Das ist zu viel auf einmal. Kürze es und versuche es noch einmal.",
  codec_unavailable: "Kein Worker hat diesen Encoder. Versuche es ohne diesen Codec.",
  forbidden: "Dieses Zugangs-Token darf das nicht. Tritt mit einem anderen ein.",
  generation_gone: "Von diesem Paket ist nicht mehr alles da. Wähle ein anderes.",
  grant_refused: "Diese Adresse gilt nicht oder nicht mehr. Lade die Seite neu.",
  idempotency_conflict: "Dieselbe Anfrage kam schon mit anderem Inhalt. Lade die Seite neu.",
  idempotency_in_progress: "Dieselbe Anfrage läuft noch. Warte einen Augenblick.",
  invalid_request: "Eine Angabe wird so nicht angenommen. Ändere, was darunter genannt ist.",
  link_expired: "Dieser Link ist abgelaufen. Lass dir einen neuen geben.",
  method_not_allowed: "Das ist hier nicht vorgesehen. Lade die Seite neu.",
  not_cancellable: "Die Arbeit an diesem Film ist schon zu Ende: abzubrechen ist nichts mehr.",
  not_found: "Das gibt es nicht, oder nicht mehr. Lade die Seite neu.",
  not_playable: "Zu sehen ist noch nichts. Versuche es in Kürze noch einmal.",
  not_protected: "Dieser Film ist nicht geschützt und braucht keine Lizenz.",
  not_retryable:
    "Noch einmal versucht wird nur, was gescheitert oder abgebrochen ist und ein Master hat. Sende die Datei neu.",
  nothing_to_waive: "Dieser Befund hält nichts auf: hinzunehmen sind nur Fehler.",
  playback_over: "Diese Sitzung ist vorbei. Beginne eine neue.",
  precondition_failed: "Das hat sich inzwischen geändert. Lade die Seite neu.",
  precondition_required: "Es fehlt, welcher Stand geändert werden soll. Lade die Seite neu.",
  protection_unavailable:
    "Hier ist kein Hauptschlüssel gesetzt: der Film lässt sich nur ungeschützt annehmen.",
  pull_ingest_disabled: "Filme von einer URL zu holen ist hier nicht eingeschaltet. Sende die Datei.",
  range_not_satisfiable: "Die Datei ist kürzer als das, was verlangt wird. Lade die Seite neu.",
  rate_limited: "Zu viele Anfragen auf einmal. Warte einen Augenblick.",
  request_refused: "Das wurde abgelehnt. Lade die Seite neu.",
  signature_refused: "Die Unterschrift dieser Nachricht stimmt nicht.",
  signing_unavailable:
    "Hier lässt sich nichts unterschreiben: die Installation braucht dafür einen Hauptschlüssel.",
  source_changed: "Der Film hat inzwischen ein anderes Master. Lade die Seite neu.",
  source_refused: "Diese URL wird nicht angenommen. Nenne eine andere.",
  subtitle_invalid:
    "Das sind keine Untertitel in diesem Format, oder ohne eine Zeile. Prüfe die Datei und sende sie noch einmal.",
  subtitle_too_large: "Die Untertiteldatei ist größer als 1 MiB. Teile sie oder nimm Gestaltung heraus.",
  title_incomplete: "Zu diesem Titel gehört noch kein Film: gib ihm zuerst einen.",
  title_not_published: "Dieser Titel war nie veröffentlicht: zurückzuziehen ist nichts.",
  too_many_links: "Du hast so viele Links, wie du haben darfst. Lösche einige davon.",
  too_many_open_uploads: "Es sind schon zu viele Dateien unterwegs. Sende sie zu Ende oder brich einige ab.",
  too_many_streams: "Mit diesem Konto wird schon auf so vielen Bildschirmen geschaut, wie es darf.",
  too_many_webhooks: "Es gibt schon so viele Webhooks, wie es geben darf. Entferne einen.",
  unauthenticated: "Dieses Zugangs-Token gilt nicht oder nicht mehr. Tritt mit einem anderen ein.",
  unsupported_media_type: "Diese Art von Inhalt wird nicht angenommen. Lade die Seite neu.",
  upload_aborted: "Das Hochladen wurde abgebrochen. Sende die Datei neu.",
  upload_busy: "Die Datei wird gerade zusammengesetzt. Warte einen Augenblick.",
  upload_completed: "Das Hochladen ist schon abgeschlossen.",
  upload_expired: "Das Hochladen wurde nicht rechtzeitig fertig. Sende die Datei neu.",
  upload_incomplete: "Es fehlen Teile der Datei, oder welche sind falsch. Setze das Senden fort.",
  version_conflict: "Jemand hat das inzwischen geändert. Lade die Seite neu.",
  webhook_disabled: "Dieser Webhook ist ausgeschaltet. Schalte ihn zuerst ein.",
};

/** Codes whose message in English is always the same and says nothing that the sentence here does not. */
export const SAID_WHOLE: ReadonlySet<string> = new Set([
  ...["combing", "interlaced", "missing_audio"],
  ...["asset_gone", "asset_not_uploaded", "asset_not_waiting", "generation_gone", "not_cancellable"],
  ...["not_playable", "not_retryable", "nothing_to_waive", "pull_ingest_disabled", "rate_limited"],
  ...["source_changed", "subtitle_too_large", "title_incomplete", "title_not_published"],
  ...["too_many_open_uploads", "unauthenticated", "upload_aborted", "upload_busy", "upload_completed"],
  ...["upload_expired", "version_conflict"],
]);
