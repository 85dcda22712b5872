/** One picture, large, with what is known about it. Arrow keys go to the next one of the gallery. */

import { ArrowLeft, ArrowRight, Download, Trash2, Workflow as WorkflowIcon } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import type { FileRef, Metadata, OutputFile } from "../api/answers";
import { isObject, type JsonValue } from "../api/json";
import type { Workflow } from "../document";
import { closeDialog, openDialog } from "../live/desk";
import { deletePicture, galleryStore } from "../live/gallery";
import { openPicture } from "../live/opening";
import { download, fileKey, sameFile } from "../live/pictures";
import { client } from "../live/server";
import { Button, Dialog, IconButton } from "../theme";
import { Ago, Picture } from "./parts";

export function PictureDialog({ file }: { file: FileRef }) {
  const metadata = useMetadata(file);
  const { files, hidden } = galleryStore.getState();
  const all = files.filter((each) => !hidden.has(fileKey(each)));
  const index = all.findIndex((each) => sameFile(each, file));
  const go = (step: number) => {
    const next = all[index + step];
    if (index >= 0 && next) openDialog({ dialog: "picture", file: next });
  };
  const remove = () => {
    deletePicture(file);
    const next = all[index + 1] ?? all[index - 1];
    if (next) openDialog({ dialog: "picture", file: next });
    else closeDialog();
  };
  return (
    <Dialog title={file.filename} size="full" flush onClose={closeDialog}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: arrow keys work wherever the focus is in the dialog */}
      <div
        className="viewer"
        onKeyDown={(event) => {
          if (event.key === "ArrowLeft") go(-1);
          if (event.key === "ArrowRight") go(1);
          if (event.key === "Delete") remove();
        }}
      >
        <div className="viewer-stage">
          <Picture key={fileKey(file)} file={file} alt={file.filename} />
          {index > 0 && (
            <IconButton className="viewer-before" size="large" label="The picture before" onClick={() => go(-1)}>
              <ArrowLeft />
            </IconButton>
          )}
          {index >= 0 && index < all.length - 1 && (
            <IconButton className="viewer-after" size="large" label="The next picture" onClick={() => go(1)}>
              <ArrowRight />
            </IconButton>
          )}
        </div>
        <aside className="viewer-side" aria-label="About this picture">
          <div className="viewer-actions">
            <Button
              kind="primary"
              icon={<WorkflowIcon />}
              onClick={() => {
                closeDialog();
                void openPicture(file);
              }}
            >
              Open its graph
            </Button>
            <Button icon={<Download />} onClick={() => download(client.fileUrl(file), file.filename)}>
              Download
            </Button>
            {file.type === "output" && (
              <IconButton label="Delete" onClick={remove}>
                <Trash2 />
              </IconButton>
            )}
          </div>
          <Facts file={file} metadata={metadata} />
        </aside>
      </div>
    </Dialog>
  );
}

function Facts({ file, metadata }: { file: FileRef; metadata: Metadata | null | undefined }) {
  const output = file as Partial<OutputFile>;
  const width = metadata?.width ?? file.width;
  const height = metadata?.height ?? file.height;
  return (
    <div className="facts">
      <dl className="facts">
        {width && height ? <Fact name="Size">{`${width} × ${height} pixels`}</Fact> : null}
        {output.size ? <Fact name="File">{bytes(output.size)}</Fact> : null}
        {output.modified ? (
          <Fact name="Made">
            <Ago at={output.modified} />
          </Fact>
        ) : null}
      </dl>
      {literals(metadata?.workflow).map(({ node, type, inputs }) => (
        <div key={node} className="facts-node">
          <h3>{type}</h3>
          <dl className="facts">
            {inputs.map(([name, value]) => (
              <Fact key={name} name={name}>
                {value}
              </Fact>
            ))}
          </dl>
        </div>
      ))}
      {metadata === null && <p className="column-note">This picture carries no graph.</p>}
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The values that were typed, by node: what made this picture this picture. */
function literals(workflow: JsonValue | undefined) {
  if (!isObject(workflow) || !isObject(workflow.nodes)) return [];
  return Object.entries((workflow as unknown as Workflow).nodes).flatMap(([node, { type, title, inputs }]) => {
    const typed = Object.entries(inputs ?? {}).filter(([, value]) => typeof value !== "object" && value !== "");
    if (typed.length === 0) return [];
    return [{ node, type: title ?? type, inputs: typed.map(([name, value]) => [name, String(value)] as const) }];
  });
}

/** @returns undefined while it is read, null when there is none. */
function useMetadata(file: FileRef): Metadata | null | undefined {
  const [known, setKnown] = useState<{ file: FileRef; metadata: Metadata | null }>();
  useEffect(() => {
    let wanted = true;
    const take = (metadata: Metadata | null) => wanted && setKnown({ file, metadata });
    client.metadata(file).then(take, () => take(null));
    return () => {
      wanted = false;
    };
  }, [file]);
  return known?.file === file ? known.metadata : undefined;
}

export function bytes(size: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const power = size < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(size) / 3));
  const value = size / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}
