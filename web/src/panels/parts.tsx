/** What several panels are made of. */

import { ImageOff } from "lucide-react";
import { type ReactNode, useState } from "react";
import type { FileRef, Status } from "../api/answers";
import { client } from "../live/server";
import { Chip, classes } from "../theme";

interface PictureProps {
  file: FileRef;
  /** What it shows, for those who do not see it; empty when words beside it say the same. */
  alt: string;
  /** Longest side in pixels; left out: the whole picture. */
  thumbnail?: number;
  className?: string;
}

/** A picture on the server, loaded when it comes into view. */
export function Picture({ file, alt, thumbnail, className }: PictureProps) {
  const src = client.fileUrl(file, thumbnail);
  const [failed, setFailed] = useState("");
  if (failed === src) {
    return (
      <span
        className={classes("picture picture-gone", className)}
        role="img"
        aria-label={`${alt || file.filename}, gone`}
      >
        <ImageOff aria-hidden="true" />
      </span>
    );
  }
  return (
    <img
      className={classes("picture", className)}
      src={src}
      alt={alt}
      width={file.width ?? undefined}
      height={file.height ?? undefined}
      loading="lazy"
      decoding="async"
      draggable={false}
      onError={() => setFailed(src)}
    />
  );
}

const STATUS: Record<Status, { word: string; tone: "neutral" | "accent" | "success" | "warning" | "danger" }> = {
  queued: { word: "Waiting", tone: "neutral" },
  running: { word: "Running", tone: "accent" },
  done: { word: "Done", tone: "success" },
  failed: { word: "Failed", tone: "danger" },
  cancelled: { word: "Cancelled", tone: "neutral" },
};

export function StatusChip({ status }: { status: Status }) {
  const { word, tone } = STATUS[status];
  return <Chip tone={tone}>{word}</Chip>;
}

/** What stands in a panel of the shell: its tools on top, its content below. */
export function Panel({ tools, children }: { tools?: ReactNode; children: ReactNode }) {
  return (
    <div className="column">
      {tools && <div className="column-tools">{tools}</div>}
      <div className="column-body">{children}</div>
    </div>
  );
}

const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

/** A moment as people say it: `just now`, `5 minutes ago`, `yesterday`, `3 Nov 2026`. */
export function ago(at: number, now = Date.now() / 1000): string {
  const seconds = now - at;
  if (seconds < 45) return "just now";
  if (seconds < 3600) return RELATIVE.format(-Math.max(1, Math.round(seconds / 60)), "minute");
  if (seconds < 86_400) return RELATIVE.format(-Math.round(seconds / 3600), "hour");
  if (seconds < 7 * 86_400) return RELATIVE.format(-Math.round(seconds / 86_400), "day");
  return DATE.format(at * 1000);
}

export function Ago({ at }: { at: number }) {
  return (
    <time dateTime={new Date(at * 1000).toISOString()} title={new Date(at * 1000).toLocaleString()}>
      {ago(at)}
    </time>
  );
}

/** The settings of a sweep's point: `seed 3 · cfg 4.5`. */
export function settingsLine(settings: Readonly<Record<string, unknown>>): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key.slice(key.indexOf(".") + 1)} ${String(value)}`)
    .join(" · ");
}
