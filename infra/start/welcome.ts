import type { Secrets } from "./secrets.ts";

/** The machine-readable line of `npm start -- --json` (docs/api.md). */
export interface ReadyLine {
  ready: true;
  api: string;
  delivery: string;
  /** With the viewer's token behind the `#`, which browsers keep to themselves. */
  player: string;
  /** With the editor's token, likewise. */
  studio: string;
  tokens: Secrets["tokens"];
}

/** What a tool needs to use what was started. */
export function readyLine(urls: { api: string; delivery: string }, tokens: Secrets["tokens"]): ReadyLine {
  return {
    ready: true,
    ...urls,
    player: `${urls.api}/player/#token=${tokens.viewer}`,
    studio: `${urls.api}/studio/#token=${tokens.editor}`,
    tokens,
  };
}

/** The same for a person. */
export function welcome({ api, delivery, player, studio, tokens }: ReadyLine): string {
  return `
  Matinee is ready.

    Watch      ${player}
    Studio     ${studio}
    API docs   ${api}/docs
    Delivery   ${delivery}

    Tokens     viewer  ${tokens.viewer}
               editor  ${tokens.editor}
               admin   ${tokens.admin}

    Add a film in another terminal:  npm run ingest -- FILE --publish
    Stop with Ctrl-C; everything is kept.
`;
}
