import { ApiProblem } from "../api-client.ts";
import { PartRefused } from "../upload-file.ts";
import { text } from "./strings.ts";

/** A failure as the person at the desk may read it. */
export function problemText(thrown: unknown): string {
  if (thrown instanceof PartRefused) return text("storageAway");
  if (!(thrown instanceof ApiProblem)) return text("unknown");
  if (thrown.status === 0) return text("unreachable");
  if (thrown.status === 401 || thrown.status === 403) return text("unauthenticated");
  if (thrown.status >= 500) return text("unknown");
  const fields = thrown.fields.map(({ path, message }) => `${path} ${message}`);
  return [thrown.message, ...fields].join(" ");
}
