const ENGLISH = {
  signInTitle: "Welcome to Matinee",
  signInText: "Paste the access token that the start printed for viewers.",
  token: "Access token",
  signIn: "Come in",
  signOut: "Leave",
  play: "Play",
  resume: "Continue",
  backToFilms: "Back to the films",
  loading: "Loading…",
  emptyTitle: "Nothing is showing yet",
  emptyText: "As soon as the studio publishes a film, it appears here.",
  minutes: "{count} min",
  seconds: "{count} s",
  watched: "{percent} % watched",
  quality: "Quality",
  speed: "Speed",
  audio: "Audio",
  captions: "Captions",
  stats: "Playback statistics",
  retry: "Try again",
  problemTitle: "That did not work",
  unreachable: "The server does not answer. Check the connection and try again.",
  unauthenticated: "This access token is not valid, or no longer. Come in with a new one.",
  notFound: "This film is not available any more.",
  notPlayable: "This film is not ready to be played yet. Try again in a little while.",
  busy: "Too many requests at once. Wait a moment and try again.",
  network: "The film stopped coming through. Check the connection and try again.",
  media: "This browser could not play the film's picture or sound.",
  unsupported: "This browser cannot play streamed video.",
  unknown: "Something went wrong on our side. Try again.",
  more: "Scroll {row} right",
  less: "Scroll {row} left",
};

export type StringKey = keyof typeof ENGLISH;

const GERMAN: Record<StringKey, string> = {
  signInTitle: "Willkommen bei Matinee",
  signInText: "Füge das Zugangs-Token ein, das der Start für Zuschauer ausgegeben hat.",
  token: "Zugangs-Token",
  signIn: "Eintreten",
  signOut: "Verlassen",
  play: "Abspielen",
  resume: "Weiterschauen",
  backToFilms: "Zurück zu den Filmen",
  loading: "Lädt …",
  emptyTitle: "Noch läuft nichts",
  emptyText: "Sobald das Studio einen Film veröffentlicht, erscheint er hier.",
  minutes: "{count} Min.",
  seconds: "{count} s",
  watched: "{percent} % gesehen",
  quality: "Qualität",
  speed: "Tempo",
  audio: "Ton",
  captions: "Untertitel",
  stats: "Wiedergabestatistik",
  retry: "Noch einmal versuchen",
  problemTitle: "Das hat nicht geklappt",
  unreachable: "Der Server antwortet nicht. Prüfe die Verbindung und versuche es noch einmal.",
  unauthenticated: "Dieses Zugangs-Token gilt nicht oder nicht mehr. Tritt mit einem neuen ein.",
  notFound: "Dieser Film ist nicht mehr verfügbar.",
  notPlayable: "Dieser Film kann noch nicht abgespielt werden. Versuche es in Kürze noch einmal.",
  busy: "Zu viele Anfragen auf einmal. Warte einen Augenblick und versuche es noch einmal.",
  network: "Der Film kommt nicht mehr durch. Prüfe die Verbindung und versuche es noch einmal.",
  media: "Dieser Browser konnte Bild oder Ton des Films nicht wiedergeben.",
  unsupported: "Dieser Browser kann kein gestreamtes Video abspielen.",
  unknown: "Bei uns ist etwas schiefgegangen. Versuche es noch einmal.",
  more: "{row} nach rechts blättern",
  less: "{row} nach links blättern",
};

const table = navigator.language.startsWith("de") ? GERMAN : ENGLISH;
export const pageLanguage = table === GERMAN ? "de" : "en";

/** The page's text for `key`, with `{name}` places filled. */
export function text(key: StringKey, values: Record<string, string | number> = {}): string {
  return table[key].replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}
