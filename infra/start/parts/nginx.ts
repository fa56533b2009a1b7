import { existsSync } from "node:fs";
import { chooseWay, install, obtain, type Recipe, type Workbench } from "../install.ts";

const NGINX: Recipe = {
  part: "nginx",
  setting: "MATINEE_TEST_NGINX",
  binaries: ["nginx"],
  // The module brings nginx with it.
  installers: [{ by: "apt", package: "libnginx-mod-http-js", binary: "nginx" }],
  advice: "there is no nginx. Type: sudo apt-get install nginx libnginx-mod-http-js.",
};
const JS_MODULE = "/usr/lib/nginx/modules/ngx_http_js_module.so";
/** For an nginx that is there without it; no setting names a module. */
const NJS: Recipe = {
  ...NGINX,
  setting: "",
  binaries: [],
  installers: [{ by: "apt", package: "libnginx-mod-http-js", binary: "ngx_http_js_module.so" }],
};

/** nginx with njs for the tests of the nginx edge; null, and said aloud, where this machine has none to give. */
export async function findNginx(bench: Workbench): Promise<string | null> {
  const { report } = bench;
  try {
    const found = await obtain(NGINX, bench);
    const missing = existsSync(JS_MODULE) ? null : chooseWay(NJS, bench.machine);
    if (missing?.by === "install") await install(missing.installer, NGINX.part, bench);
    if (!existsSync(JS_MODULE)) throw new Error(`nginx without ${JS_MODULE}: install libnginx-mod-http-js`);
    const path = "url" in found ? found.url : found.program;
    report.done(NGINX.part, path);
    return path;
  } catch (error) {
    if (bench.signal.aborted) throw error;
    report.note(NGINX.part, `its tests are skipped: ${(error as Error).message}`);
    return null;
  }
}
