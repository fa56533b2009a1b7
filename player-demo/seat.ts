import { openViewerApi, type ViewerApi } from "./api-client.ts";
import { OwnSessions } from "./own-sessions.ts";

/** What a tab keeps from one film to the next. */
export interface Seat {
  api: ViewerApi;
  sessions: OwnSessions;
}

export function takeSeat(token: string): Seat {
  const api = openViewerApi(token);
  return { api, sessions: new OwnSessions(api) };
}
