import type { Random } from "../../test/fuzz/random.ts";
import type { Acknowledged, KnownAsset, KnownTitle } from "./acknowledged.ts";
import type { Client, Complaints } from "./client.ts";
import type { FaultLog } from "./faults.ts";
import type { Film } from "./films.ts";
import type { Origin } from "./origin.ts";
import type { Sightings } from "./sightings.ts";

/** An editor, and all that there is to work with. */
export interface Desk {
  name: string;
  client: Client;
  faults: FaultLog;
  complaints: Complaints;
  known: Acknowledged;
  films: readonly Film[];
  origin: Origin;
  tenant: string;
  sightings: Sightings;
  /** Of every object that was ever seen: path below the grant, and the hash of its bytes. */
  seen: Map<string, string>;
  chance: Random;
}

/** What one editor has made. */
export interface Own {
  assets: KnownAsset[];
  titles: KnownTitle[];
}

/** What may be done next, each with how likely it is. */
export type Acts = [weight: number, act: () => Promise<void>][];
