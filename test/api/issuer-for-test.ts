import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after } from "node:test";
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";

/** Claims of a token; what is undefined is left out of it. */
export interface Claims extends JWTPayload {
  role?: unknown;
  tenant?: unknown;
  country?: unknown;
}

/** An issuer of tokens, whose keys are served until the file's tests are over. */
export async function openIssuer() {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const jwk = { ...(await exportJWK(publicKey)), kid: "k1", alg: "ES256", use: "sig" };
  const server = createServer((_, answer) =>
    answer.setHeader("Content-Type", "application/json").end(JSON.stringify({ keys: [jwk] })),
  ).listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => server.close());
  const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  const jwt = { jwksUrl, issuer: "https://id.test", audience: "matinee" };
  return {
    publicKey,
    /** For `ApiConfig.jwt`. */
    jwt,
    /** An editor's token but for what the claims say. */
    async signed(claims: Claims, key: CryptoKey = privateKey): Promise<string> {
      const token = new SignJWT({
        iss: jwt.issuer,
        aud: jwt.audience,
        sub: "u1",
        exp: Math.floor(Date.now() / 1000) + 600,
        role: "editor",
        ...claims,
      });
      return token.setProtectedHeader({ alg: "ES256", kid: "k1" }).sign(key);
    },
  };
}
