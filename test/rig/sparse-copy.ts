import { open, stat } from "node:fs/promises";
import { makePartialFile, type PartialFile } from "../../transcoder/partial-file.ts";

/** A copy of a local file that holds only what it is asked to fill in, as a worker keeps a master that is read in parts. */
export async function sparseCopy(path: string, to: string): Promise<PartialFile> {
  const { size } = await stat(path);
  return makePartialFile(to, size, async ({ start, end }, take) => {
    const source = await open(path, "r");
    try {
      const bytes = Buffer.alloc(end - start);
      await source.read(bytes, 0, bytes.length, start);
      await take([bytes], start);
    } finally {
      await source.close();
    }
  });
}
