import { createHash, randomBytes } from "node:crypto";
import type { Product } from "../test/rig/product.ts";

/** So many accounts of viewers: a token of each. */
export async function makeViewers({ library }: Product, count: number): Promise<string[]> {
  const tokens = Array.from({ length: count }, () => `mk_${randomBytes(32).toString("hex")}`);
  await library.apiKeys.insertMany(
    tokens.map((token, index) => ({
      _id: createHash("sha256").update(token).digest("hex"),
      tenant: "default",
      subject: `crowd-${index}`,
      role: "viewer",
      createdAt: library.serverNow(),
      revokedAt: null,
    })),
  );
  return tokens;
}
