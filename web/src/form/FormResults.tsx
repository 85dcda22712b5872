/** What came out: the picture as it develops, then as it is; earlier ones in a strip below. */

import { Download, ImageIcon, SquareSplitHorizontal } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import type { FileRef } from "../api/answers";
import { useRun } from "../app/run";
import { download, fileKey } from "../live/pictures";
import { client } from "../live/server";
import { Button, classes, EmptyState } from "../theme";
import { inputPicture } from "../widgets/fileServer";
import { BeforeAfter } from "./BeforeAfter";
import { useResults } from "./shots";

interface FormResultsProps {
  outputs: readonly string[];
  /** The picture that the page asks for; null when it asks for none. */
  asked: string | null;
}

export function FormResults({ outputs, asked }: FormResultsProps) {
  const { pictures, fresh, texts, befores } = useResults(outputs, asked);
  const preview = useRun((run) => (run.status === "running" ? Object.values(run.previews).at(-1) : undefined));
  const busy = useRun((run) => run.job !== "" && (run.status === "running" || run.status === "queued"));
  const place = useRef<HTMLElement>(null);
  const [chosen, setChosen] = useState<FileRef | null>(null);
  const newest = pictures[0];
  const arrived = newest && fileKey(newest);
  const watched = useRef(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: again when the picture is there, which is larger
  useEffect(() => {
    if (busy) watched.current = true;
    if (!watched.current) return;
    // On a phone it lies below the button that was pressed.
    place.current?.scrollIntoView({ block: "nearest", behavior: calm() ? "auto" : "smooth" });
    watched.current = busy;
  }, [busy, arrived]);
  const shown = chosen && pictures.includes(chosen) ? chosen : newest;
  if (!shown && !preview && texts.length === 0) {
    return (
      <section ref={place} className="form-results" aria-label="Results">
        <EmptyState icon={<ImageIcon />} title={busy ? "It is being made" : "Your picture appears here"}>
          {busy
            ? "The first glimpse comes in a moment."
            : `${asked === null ? "Fill in the fields" : "Bring a picture, or keep this one,"} and press Run. You can watch it develop.`}
        </EmptyState>
      </section>
    );
  }
  return (
    <section ref={place} className="form-results" aria-label="Results">
      {preview ? (
        <img className="form-picture form-preview" src={preview} alt="What is being made, so far" />
      ) : (
        shown && <Shown key={fileKey(shown)} file={shown} before={befores[fileKey(shown)] ?? null} />
      )}
      {texts.map((text) => (
        <pre key={text} className="form-text">
          {text}
        </pre>
      ))}
      {(pictures.length > 1 || preview) && (
        <ul className="form-strip" aria-label="Pictures of this visit">
          {pictures.map((file, index) => (
            <li key={fileKey(file)}>
              <button
                type="button"
                aria-label={`Picture ${index + 1}${index < fresh ? ", new" : ""}`}
                aria-pressed={file === shown}
                className={classes("form-thumb", file === shown && "form-thumb-shown")}
                onClick={() => setChosen(index === 0 ? null : file)}
              >
                <img src={client.fileUrl(file, 256)} alt="" loading="lazy" />
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** @param before the input picture that it was made from, to hold it against where both have one shape. */
function Shown({ file, before }: { file: FileRef; before: string | null }) {
  const url = client.fileUrl(file);
  const alt = `The result, ${file.filename}`;
  const ratio = (file.width ?? 1) / (file.height ?? 1);
  const given = before === null ? null : client.fileUrl(inputPicture(before));
  const comparable = useRatio(given, ratio);
  const [alone, setAlone] = useState(false);
  return (
    <figure className="form-figure">
      {given !== null && comparable && !alone ? (
        <BeforeAfter before={given} after={url} alt={alt} ratio={ratio} />
      ) : (
        <a href={url} target="_blank" rel="noreferrer" aria-label="Open the picture by itself">
          <img
            className="form-picture"
            src={url}
            alt={alt}
            width={file.width ?? undefined}
            height={file.height ?? undefined}
          />
        </a>
      )}
      <figcaption>
        <span>
          {file.filename}
          {file.width && file.height ? `, ${file.width} × ${file.height}` : ""}
        </span>
        {comparable && (
          <Button icon={<SquareSplitHorizontal />} aria-pressed={!alone} onClick={() => setAlone(!alone)}>
            Compare
          </Button>
        )}
        <Button icon={<Download />} onClick={() => download(url, file.filename)}>
          Download
        </Button>
      </figcaption>
    </figure>
  );
}

/** Whether the picture at an address has a shape, as near as makes no difference. */
function useRatio(url: string | null, ratio: number): boolean {
  const [fits, setFits] = useState(false);
  useEffect(() => {
    setFits(false);
    if (url === null) return;
    let here = true;
    const picture = new Image();
    picture.onload = () => here && setFits(Math.abs(picture.naturalWidth / picture.naturalHeight / ratio - 1) < 0.03);
    picture.src = url;
    return () => {
      here = false;
    };
  }, [url, ratio]);
  return fits;
}

function calm(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
