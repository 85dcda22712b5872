/** Below the name of an input picture: the picture, and ways to bring another (button, drop, paste) or paint a mask. */

import { Brush, ImageUp } from "lucide-react";
import { type ClipboardEvent, type DragEvent, lazy, Suspense, useRef, useState } from "react";
import { sentence } from "../api/errors";
import { Button, classes, Spinner } from "../theme";
import { useFiles } from "./files";
import { useHole } from "./hole";
import type { WidgetProps } from "./types";

const MaskEditor = lazy(() => import("../mask/MaskEditor"));

interface PictureFieldProps extends WidgetProps {
  name: string | null;
  /** Whether the server has it. */
  there: boolean;
}

const KINDS = "image/png,image/jpeg,image/webp,image/gif,image/bmp,image/tiff";
const THUMBNAIL = { compact: 256, full: 512 };

export function PictureField({ name, there, onChange, compact, disabled, masked, example }: PictureFieldProps) {
  const files = useFiles();
  const chooser = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const [over, setOver] = useState(false);
  const [masking, setMasking] = useState(false);

  const store = async (work: () => Promise<string>) => {
    setBusy(true);
    setError("");
    try {
      onChange(await work(), true);
    } catch (problem) {
      setError(sentence(problem));
    } finally {
      setBusy(false);
    }
  };
  const bring = (given: FileList | undefined) => {
    const picture = [...(given ?? [])].find((file) => file.type.startsWith("image/"));
    if (!picture) return setError("This is no picture. Bring a PNG, JPEG or WebP file.");
    return store(() => files.upload(picture, uploadName(picture)));
  };
  const drop = {
    onDragOver(event: DragEvent) {
      if (disabled || !event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      event.stopPropagation();
      setOver(true);
    },
    onDragLeave: () => setOver(false),
    onDrop(event: DragEvent) {
      setOver(false);
      if (disabled || event.dataTransfer.files.length === 0) return;
      // The canvas would open the picture's workflow.
      event.preventDefault();
      event.stopPropagation();
      void bring(event.dataTransfer.files);
    },
    onPaste(event: ClipboardEvent) {
      if (disabled || event.clipboardData.files.length === 0) return;
      event.preventDefault();
      event.stopPropagation();
      void bring(event.clipboardData.files);
    },
  };
  const url = name !== null && there ? files.server.pictureUrl(name, THUMBNAIL[compact ? "compact" : "full"]) : null;
  const hole = useHole(masked ? url : null);

  return (
    <div className={classes("input-picture", over && "input-picture-over")} {...drop}>
      <button
        type="button"
        className="input-picture-frame"
        disabled={disabled}
        aria-label={url ? `${name}. Choose another picture` : "Choose a picture"}
        onClick={() => chooser.current?.click()}
      >
        {busy ? (
          <Spinner />
        ) : url ? (
          <img key={url} src={url} alt="" draggable={false} className={hole ? "input-picture-hole" : undefined} />
        ) : (
          <span className="input-picture-hint">
            <ImageUp aria-hidden="true" />
            {name !== null ? "This picture is missing here." : "Drop, paste or choose a picture"}
          </span>
        )}
      </button>
      <span className="input-picture-actions">
        {masked && url && (
          <Button
            kind={hole === false ? "primary" : "plain"}
            icon={<Brush />}
            disabled={disabled || busy}
            onClick={() => setMasking(true)}
          >
            {hole ? "Change the hole" : "Paint the hole"}
          </Button>
        )}
        <Button
          size={compact ? "small" : "medium"}
          icon={<ImageUp />}
          disabled={disabled || busy}
          onClick={() => chooser.current?.click()}
        >
          {compact ? "Upload" : "Your own picture"}
        </Button>
        {masked === undefined && url && (
          <Button size="small" icon={<Brush />} disabled={disabled || busy} onClick={() => setMasking(true)}>
            Mask
          </Button>
        )}
      </span>
      {!compact && <Guide there={url !== null} example={example} masked={masked} hole={hole} />}
      {error && (
        <p role="alert" className="widget-problem">
          {error}
        </p>
      )}
      <input
        ref={chooser}
        type="file"
        hidden
        accept={KINDS}
        aria-label="Picture file"
        onChange={(event) => {
          void bring(event.target.files ?? undefined);
          event.target.value = ""; // the same file again is a change too
        }}
      />
      {masking && name !== null && (
        <Suspense fallback={<Spinner />}>
          <MaskEditor
            name={name}
            {...(masked && { title: "Paint over what is to be made anew" })}
            url={files.server.pictureUrl(name)}
            onClose={() => setMasking(false)}
            onSave={async (mask) => {
              onChange(await files.uploadMask(mask, name), true);
              setMasking(false);
            }}
          />
        </Suspense>
      )}
    </div>
  );
}

interface GuideProps {
  there: boolean;
  example: boolean | undefined;
  masked: boolean | undefined;
  hole: boolean | null;
}

/** What to do next, for people who see this page for the first time. */
function Guide({ there, example, masked, hole }: GuideProps) {
  if (!there) return null;
  const next =
    hole === false
      ? "Nothing is painted over yet. Paint the hole: cover what is to be made anew."
      : hole
        ? "The striped part is made anew."
        : "";
  const words = [example && `This is an example: run it as it is, or take a picture of your own.`, masked && next]
    .filter(Boolean)
    .join(" ");
  return words ? (
    <p className="input-picture-guide" role="status">
      {words}
    </p>
  ) : null;
}

/** A pasted picture is called `image.png` by every browser: give it a name of its own. */
function uploadName(file: File): string {
  if (file.name !== "image.png") return file.name || "picture.png";
  const time = new Date().toISOString().replace(/[-:]/g, "").slice(0, 15).replace("T", "-");
  return `pasted-${time}.png`;
}
