import { pageLanguage } from "./strings.ts";

/** What the page of work says; its values are the same in all languages. */
const ENGLISH = {
  heading: "Work",
  asOf: "As of {time}, renewed every {seconds} s",
  stale: "Not renewed since {time}: {why}",
  forAdmins: "This needs the token of an administrator of the installation.",
  lane_fast: "Fast lane: what somebody waits for",
  lane_usual: "Usual lane",
  lane_pull: "Pull lane: masters that are fetched",
  workLeft: "{time} of one core to do",
  hints: "Queue: {waiting} waiting, {active} running, {delayed} put off; workers that listen: {consumers}",
  unheard: "No worker listens to this lane: {tasks} tasks wait for one.",
  noHints:
    "Redis does not answer. Workers are told of work by it; what is to be done stands here all the same.",
  nothing: "Nothing to do.",
  kind: "Kind",
  todo: "To do",
  backingOff: "Waits to be tried again",
  claimed: "In hand",
  lapsed: "Lease is over",
  failed: "Set aside",
  work: "Work",
  follows: "{kind} (after others)",
  claims: "In whose hands",
  worker: "Worker",
  tenant: "Tenant",
  asset: "Asset",
  since: "Since",
  lease: "Lease",
  leaseOver: "over for {time}",
  progress: "Done",
  workers: "{worker}: {tasks}",
  assets: "Films on their way",
  state: "State",
  count: "How many",
  standing: "Longest without a change",
  failures: "Failed last",
  why: "Why",
  file: "File",
  retryable: "may be tried again",
};

export type QueueKey = keyof typeof ENGLISH;

const GERMAN: Record<QueueKey, string> = {
  heading: "Arbeit",
  asOf: "Stand {time}, alle {seconds} s erneuert",
  stale: "Nicht erneuert seit {time}: {why}",
  forAdmins: "Dafür braucht es das Token eines Administrators der Installation.",
  lane_fast: "Schnelle Spur: worauf jemand wartet",
  lane_usual: "Übliche Spur",
  lane_pull: "Hol-Spur: Originale, die geholt werden",
  workLeft: "{time} eines Kerns zu tun",
  hints:
    "Warteschlange: {waiting} warten, {active} laufen, {delayed} verschoben; Worker, die zuhören: {consumers}",
  unheard: "Kein Worker hört auf diese Spur: {tasks} Aufgaben warten auf einen.",
  noHints: "Redis antwortet nicht. Von dort erfahren Worker von Arbeit; was zu tun ist, steht hier trotzdem.",
  nothing: "Nichts zu tun.",
  kind: "Art",
  todo: "Zu tun",
  backingOff: "Wartet auf neuen Versuch",
  claimed: "In Arbeit",
  lapsed: "Frist ist um",
  failed: "Beiseitegelegt",
  work: "Arbeit",
  follows: "{kind} (nach anderen)",
  claims: "In wessen Händen",
  worker: "Worker",
  tenant: "Mandant",
  asset: "Asset",
  since: "Seit",
  lease: "Frist",
  leaseOver: "seit {time} um",
  progress: "Fertig",
  workers: "{worker}: {tasks}",
  assets: "Filme unterwegs",
  state: "Zustand",
  count: "Wie viele",
  standing: "Am längsten unverändert",
  failures: "Zuletzt gescheitert",
  why: "Warum",
  file: "Datei",
  retryable: "neuer Versuch möglich",
};

const words = pageLanguage === "de" ? GERMAN : ENGLISH;

/** As `text` of `strings.ts`, of this page's own words. */
export function queueText(key: QueueKey, values: Record<string, string | number> = {}): string {
  return words[key].replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}
