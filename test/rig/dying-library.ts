import type { Library } from "../../stores/library/connect.ts";

const WRITES = new Set([
  "insertOne",
  "insertMany",
  "updateOne",
  "updateMany",
  "findOneAndUpdate",
  "deleteOne",
  "deleteMany",
]);

/** What a process that was killed between two writes leaves behind: the first `writes` are made, none after them. */
export function dyingAfter(library: Library, writes: number): Library {
  let left = writes;
  const mortal = <T extends object>(collection: T): T =>
    new Proxy(collection, {
      get(target, name) {
        const member = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => {
          if (WRITES.has(String(name)) && left-- <= 0) return Promise.reject(new Error("died"));
          return Reflect.apply(member, target, args);
        };
      },
    });
  const { uploads, assets, tasks, generations, reports, figures, foldings } = library;
  const { titles, links, revocations, deliveries } = library;
  return {
    ...library,
    uploads: mortal(uploads),
    assets: mortal(assets),
    tasks: mortal(tasks),
    generations: mortal(generations),
    reports: mortal(reports),
    figures: mortal(figures),
    foldings: mortal(foldings),
    titles: mortal(titles),
    links: mortal(links),
    revocations: mortal(revocations),
    deliveries: mortal(deliveries),
  };
}
