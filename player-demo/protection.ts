import Hls, { type ErrorData, type HlsConfig } from "hls.js";
import type { Playback, ViewerApi } from "./api-client.ts";
import type { StringKey } from "./strings.ts";

/** What hls.js needs to play a protected film; nothing for one that is not. */
export function protectionConfig({ protection }: Playback, api: ViewerApi): Partial<HlsConfig> {
  if (protection === undefined) return {};
  return {
    emeEnabled: true,
    drmSystems: { [protection.keySystem]: { licenseUrl: protection.licenseUrl } },
    licenseXhrSetup: (request, url) => {
      request.open("POST", url, true);
      api.authorize(request);
    },
  };
}

/** What a failure of protection means to the person in front of the screen; null where it is another failure. */
export function protectionProblem({ type, details, response }: ErrorData): StringKey | null {
  if (type !== Hls.ErrorTypes.KEY_SYSTEM_ERROR) return null;
  if (details !== Hls.ErrorDetails.KEY_SYSTEM_LICENSE_REQUEST_FAILED) return "cannotUnlock";
  const status = response?.code ?? 0;
  return status >= 400 && status < 500 ? "licenseRefused" : "network";
}
