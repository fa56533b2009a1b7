import { setTimeout as pause } from "node:timers/promises";
import type { KnownTitle } from "./acknowledged.ts";
import type { Acts, Desk, Own } from "./desk.ts";

/** What editors do to one of their titles. */
export function titleActs(desk: Desk, { titles }: Own): Acts {
  const those = titles.filter(({ state }) => state !== "deleted");
  if (those.length === 0) return [];
  const title = desk.chance.pick(those);
  return [
    [3, () => rename(desk, title)],
    [title.state === "published" ? 1 : 3, () => publish(desk, title)],
    [title.state === "published" ? 1 : 0, () => unpublish(desk, title)],
    [title.state === "draft" ? 0 : 0.5, () => schedule(desk, title)],
    [title.state === "published" ? 2 : 0, () => link(desk, title)],
    [0.3, () => removeTitle(desk, title)],
  ];
}

async function rename({ client, known, complaints, chance }: Desk, title: KnownTitle): Promise<void> {
  const name = `${title.name.split(",")[0]}, ${chance.below(1e9)}`;
  const path = `/v1/titles/${title.id}` as const;
  for (;;) {
    const found = await client.insist("GET", path);
    if (found.body.name?.en === name) break;
    if (found.body.name?.en !== title.name)
      complaints.add(`${title.id} is called ${JSON.stringify(found.body.name)}, and not ${title.name}`);
    const patched = await client.once("PATCH", path, { name }, [200], { "if-match": found.etag ?? "" });
    if (patched.status === 200) break;
    await pause(300);
  }
  title.name = name;
  known.count("patch");
}

/** Shows it to viewers, now. */
export async function publish({ client, known, faults }: Desk, title: KnownTitle): Promise<void> {
  title.changedAt = Number.POSITIVE_INFINITY;
  const { status } = await client.insist("POST", `/v1/titles/${title.id}/publish`, {}, [200]);
  title.changedAt = faults.now();
  if (status !== 200) return;
  if (title.state !== "published") title.publications++;
  title.state = "published";
  known.count("publish");
}

async function unpublish({ client, known, faults }: Desk, title: KnownTitle): Promise<void> {
  title.changedAt = Number.POSITIVE_INFINITY;
  const { status } = await client.insist("POST", `/v1/titles/${title.id}/unpublish`, undefined, [200]);
  title.changedAt = faults.now();
  if (status !== 200) return;
  title.takedowns++;
  title.state = "unpublished";
  known.count("unpublish");
}

/** For tomorrow: it is not to be seen until then. */
async function schedule({ client, known, faults }: Desk, title: KnownTitle): Promise<void> {
  const availableFrom = new Date(Date.now() + 86_400_000).toISOString();
  const was = title.state;
  title.changedAt = Number.POSITIVE_INFINITY;
  const { status } = await client.insist("POST", `/v1/titles/${title.id}/publish`, { availableFrom }, [200]);
  title.changedAt = faults.now();
  if (status !== 200) return;
  if (was === "published") title.takedowns++;
  title.state = "scheduled";
  known.count("schedule");
}

async function link({ client, known, chance }: Desk, title: KnownTitle): Promise<void> {
  const key = { "idempotency-key": `link-${Math.floor(chance.share() * 1e15)}` };
  const made = await client.insist("POST", "/v1/links", { titleId: title.id, startSeconds: 1 }, [201], key);
  if (made.status !== 201) return;
  title.links.push(made.body.code);
  known.count("link");
}

async function removeTitle({ client, known, faults }: Desk, title: KnownTitle): Promise<void> {
  title.changedAt = Number.POSITIVE_INFINITY;
  const was = title.state;
  // Asked again after an answer that was lost, it is gone.
  const { status } = await client.insist("DELETE", `/v1/titles/${title.id}`, undefined, [204, 404]);
  title.changedAt = faults.now();
  if (status !== 204 && status !== 404) return;
  if (was === "published") title.takedowns++;
  title.state = "deleted";
  known.count("title deleted");
}
