import { openViewerApi, type ViewerApi } from "./api-client.ts";
import { OwnSessions } from "./own-sessions.ts";
import { keepToken } from "./session-token.ts";
import { TrackWishes } from "./track-wishes.ts";

/** What a tab keeps from one film to the next. */
export interface Seat {
  api: ViewerApi;
  sessions: OwnSessions;
  wishes: TrackWishes;
  /** Goes on with another token, in this tab and after it is loaded anew. */
  signIn(token: string): void;
}

export function takeSeat(token: string): Seat {
  const api = openViewerApi(token);
  const signIn = (next: string) => {
    keepToken(next);
    api.signIn(next);
  };
  return { api, sessions: new OwnSessions(api), wishes: new TrackWishes(api), signIn };
}
