import { openViewerApi, type ViewerApi } from "./api-client.ts";
import { OwnSessions } from "./own-sessions.ts";
import { keepToken } from "./session-token.ts";

/** What a tab keeps from one film to the next. */
export interface Seat {
  api: ViewerApi;
  sessions: OwnSessions;
  /** Goes on with another token, in this tab and after it is loaded anew. */
  signIn(token: string): void;
}

export function takeSeat(token: string): Seat {
  const api = openViewerApi(token);
  const signIn = (next: string) => {
    keepToken(next);
    api.signIn(next);
  };
  return { api, sessions: new OwnSessions(api), signIn };
}
