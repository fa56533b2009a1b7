import { newId } from "../../core/ids.ts";
import type { Library } from "./connect.ts";
import { fromDriver, isDuplicateKey } from "./driver-errors.ts";

/** What tells a library from every other one. */
export interface IdentityRecord {
  _id: "library";
  name: string;
}

/** The name that the library was given by whoever opened it first: the same for all who open it. */
export async function nameOfLibrary({ identities }: Pick<Library, "identities">): Promise<string> {
  const known = await fromDriver(identities.findOne({ _id: "library" }));
  if (known !== null) return known.name;
  try {
    const name = newId("lb");
    await fromDriver(identities.insertOne({ _id: "library", name }));
    return name;
  } catch (thrown) {
    if (!isDuplicateKey(thrown)) throw thrown;
    return nameOfLibrary({ identities });
  }
}
