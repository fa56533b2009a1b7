import type { ConformanceView, LedgerEntry } from "../../api/asset-report-routes.ts";
import type { AssetView } from "../../api/asset-view.ts";
import type { Card } from "../../api/catalog-card.ts";
import type { FiguresView } from "../../api/figures-view.ts";
import type { GenerationView } from "../../api/generation-routes.ts";
import type { LinkView } from "../../api/link-view.ts";
import type { PlaybackView } from "../../api/playback-view.ts";
import type { Problem } from "../../api/problem.ts";
import type { QueuesView } from "../../api/queue-view.ts";
import type { Readiness } from "../../api/readiness.ts";
import type { TitleView } from "../../api/title-view.ts";
import type { OpenedUpload, SignedParts, UploadStatus } from "../../api/upload-form.ts";
import type { NewlyMadeWebhook } from "../../api/webhook-view.ts";

interface Page<T> {
  data: T[];
  nextCursor: string | null;
}

/** What a call answers where it is done; `unknown` where its path is not known here. What is more precise stands first. */
type DoneAnswer<Call extends string> = Call extends `POST /v1/uploads`
  ? OpenedUpload
  : Call extends `POST /v1/uploads/${string}/parts`
    ? SignedParts
    : Call extends `POST /v1/uploads/${string}/complete`
      ? { assetId: string }
      : Call extends `GET /v1/uploads/${string}`
        ? UploadStatus
        : Call extends `${string} /v1/assets${string}`
          ? AssetAnswer<Call>
          : Call extends `${string} /v1/titles${string}`
            ? TitleAnswer<Call>
            : Call extends `POST /v1/playback`
              ? PlaybackView
              : Call extends `POST /v1/playback/${string}/renew`
                ? Pick<PlaybackView, "manifestUrl" | "expiresAt">
                : OtherAnswer<Call>;

type AssetAnswer<Call extends string> = Call extends `POST /v1/assets`
  ? { id: string }
  : Call extends `GET /v1/assets/${string}/ledger${string}`
    ? Page<LedgerEntry>
    : Call extends `GET /v1/assets/${string}/conformance`
      ? ConformanceView
      : Call extends `GET /v1/assets/${string}/generations`
        ? Page<GenerationView>
        : Call extends `POST /v1/assets/${string}/preview`
          ? PlaybackView
          : Call extends `${string} /v1/assets/${string}`
            ? AssetView
            : Page<AssetView>;

type TitleAnswer<Call extends string> = Call extends `POST /v1/titles` | `${string} /v1/titles/${string}`
  ? TitleView
  : Page<TitleView>;

type OtherAnswer<Call extends string> = Call extends `POST /v1/links` | `GET /v1/links/${string}`
  ? LinkView
  : Call extends `POST /v1/webhooks`
    ? NewlyMadeWebhook
    : Call extends `GET /v1/catalog/search${string}`
      ? Page<Card>
      : Call extends `GET /v1/analytics/titles/${string}`
        ? { total: FiguresView; rows: (FiguresView & { key: string })[] }
        : Call extends `GET /admin/queues`
          ? QueuesView
          : Call extends `GET /readyz`
            ? Readiness
            : unknown;

/** The body of an answer: as the API itself says it of this call, with what a refusal has in its place. Look at the status first. */
export type AnswerTo<Method extends string, Path extends string> = DoneAnswer<`${Method} ${Path}`> &
  Partial<Pick<Problem, "code" | "errors">>;
