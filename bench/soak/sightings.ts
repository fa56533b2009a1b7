/** Which tenant has seen which things: no other one is ever to see them. */
export interface Sightings {
  /** Takes note of the ids and titles in what a tenant was told; gives those that are another's, with whose they are. */
  note(tenant: string, text: string): string[];
  /** What all tenants but this one have seen of the kind that the prefix of ids says. */
  ofOthers(tenant: string, prefix: string): string[];
}

/** As `core/ids.ts` spells them; workers (`wk`) do everybody's work, and are named in each one's ledger. */
const ID = /\b(?:up|as|sc|ti|ps|pv|wh|ev|dl|ln|rq)_[0-9a-hjkmnp-tv-z]{26}/g;
const NAME = /\bFilm \d+ of (\w+)/g;

/** What an editor of that tenant calls a title. */
export function nameIn(tenant: string, number: number): string {
  return `Film ${number} of ${tenant}`;
}

export function openSightings(): Sightings {
  const owners = new Map<string, string>();
  return {
    note(tenant, text) {
      const foreign: string[] = [];
      for (const [id] of text.matchAll(ID)) {
        const owner = owners.get(id) ?? tenant;
        owners.set(id, owner);
        if (owner !== tenant) foreign.push(`${id} of ${owner}`);
      }
      for (const [name, owner] of text.matchAll(NAME)) if (owner !== tenant) foreign.push(name);
      return foreign;
    },
    ofOthers: (tenant, prefix) =>
      [...owners].filter(([id, owner]) => owner !== tenant && id.startsWith(`${prefix}_`)).map(([id]) => id),
  };
}
