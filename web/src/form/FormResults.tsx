/** What came out: the picture as it develops, then as it is; earlier ones in a strip below. */

import { Download, ImageIcon } from "lucide-react";
import { useState } from "react";
import type { FileRef } from "../api/answers";
import { useRun } from "../app/run";
import { download, fileKey } from "../live/pictures";
import { client } from "../live/server";
import { Button, classes, EmptyState } from "../theme";
import { useResults } from "./shots";

export function FormResults({ outputs }: { outputs: readonly string[] }) {
  const { pictures, fresh, texts } = useResults(outputs);
  const preview = useRun((run) => (run.status === "running" ? Object.values(run.previews).at(-1) : undefined));
  const busy = useRun((run) => run.job !== "" && (run.status === "running" || run.status === "queued"));
  const [chosen, setChosen] = useState<FileRef | null>(null);
  const newest = pictures[0];
  const shown = chosen && pictures.includes(chosen) ? chosen : newest;
  if (!shown && !preview && texts.length === 0) {
    return (
      <section className="form-results" aria-label="Results">
        <EmptyState icon={<ImageIcon />} title={busy ? "It is being made" : "Your picture appears here"}>
          {busy
            ? "The first glimpse comes in a moment."
            : "Fill in the fields and press Run. You can watch it develop."}
        </EmptyState>
      </section>
    );
  }
  return (
    <section className="form-results" aria-label="Results">
      {preview ? (
        <img className="form-picture form-preview" src={preview} alt="What is being made, so far" />
      ) : (
        shown && <Shown file={shown} />
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

function Shown({ file }: { file: FileRef }) {
  const url = client.fileUrl(file);
  return (
    <figure className="form-figure">
      <a href={url} target="_blank" rel="noreferrer" aria-label="Open the picture by itself">
        <img
          className="form-picture"
          key={url}
          src={url}
          alt={`The result, ${file.filename}`}
          width={file.width ?? undefined}
          height={file.height ?? undefined}
        />
      </a>
      <figcaption>
        <span>
          {file.filename}
          {file.width && file.height ? `, ${file.width} × ${file.height}` : ""}
        </span>
        <Button icon={<Download />} onClick={() => download(url, file.filename)}>
          Download
        </Button>
      </figcaption>
    </figure>
  );
}
