/** What answers say at their head, each described once and named where it is said. */

const ofBudget = (text: string) => ({ description: text, schema: { type: "integer" as const } });
const ofText = (text: string) => ({ description: text, schema: { type: "string" as const } });

export const SAID_HEADERS = {
  "X-Request-Id": ofText("The request's own, or one that was made for it"),
  ETag: ofText("The version; what a change wants as If-Match"),
  Location: ofText("Where it is found"),
  "WWW-Authenticate": ofText("That a bearer token is wanted"),
  "Retry-After": ofBudget("In how many seconds to come again, where that is known"),
  "RateLimit-Limit": ofBudget("Requests that there may be in a minute"),
  "RateLimit-Remaining": ofBudget("How many of them are left"),
  "RateLimit-Reset": ofBudget("In how many seconds the count begins anew"),
};
export type SaidHeader = keyof typeof SAID_HEADERS;

export const RATE_HEADERS = ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"] as const;

/** These headers of an answer, as its description names them. */
export function saidHeaders(names: readonly SaidHeader[]) {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
