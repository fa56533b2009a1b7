import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { writePrivately } from "./state.ts";

export type Role = "viewer" | "editor" | "admin";
export const ROLES: readonly Role[] = ["viewer", "editor", "admin"];

/** Everything secret of one data folder. Never printed but for the tokens, which are made to be handed out. */
export interface Secrets {
  s3AccessKeyId: string;
  s3SecretAccessKey: string;
  redisPassword: string;
  /** `kid:hexsecret`, as MATINEE_GRANT_KEYS takes it. */
  grantKey: string;
  /** `kid:hexsecret`, as MATINEE_MASTER_KEYS takes it: without it no protected film of this folder plays. */
  masterKey: string;
  tokens: Record<Role, string>;
}

/** The folder's secrets from `path`, made at the first call; of a folder of an older release, what it lacks. For its owner alone (0600). */
export function openSecrets(path: string): Secrets {
  const known = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Partial<Secrets>) : {};
  const secrets = { ...makeSecrets(), ...known };
  if (Object.keys(secrets).every((name) => name in known)) return secrets;
  writePrivately(path, secrets);
  return secrets;
}

/** Fresh secrets of 256 bits each. */
export function makeSecrets(): Secrets {
  const token = () => `mk_${randomBytes(32).toString("base64url")}`;
  return {
    s3AccessKeyId: `matinee${randomBytes(6).toString("hex")}`,
    s3SecretAccessKey: randomBytes(32).toString("hex"),
    redisPassword: randomBytes(32).toString("hex"),
    grantKey: `k1:${randomBytes(32).toString("hex")}`,
    masterKey: `m1:${randomBytes(32).toString("hex")}`,
    tokens: { viewer: token(), editor: token(), admin: token() },
  };
}

/** MATINEE_BOOT_KEYS: the tokens as the API stores them, hashed. */
export function bootKeys(tokens: Secrets["tokens"]): string {
  const keys = ROLES.map((role) => ({
    role,
    tenant: "default",
    subject: `local-${role}`,
    sha256: createHash("sha256").update(tokens[role]).digest("hex"),
  }));
  return JSON.stringify(keys);
}
