/** What hangs below a node's widgets: the picture in the making, the pictures and texts it made, what went wrong. */

import { CircleAlert } from "lucide-react";
import { memo } from "react";
import { type NodeOutput, type PictureRef, useRun } from "../app/run";
import type { Problem } from "../document";
import { openDialog } from "../live/desk";
import { client } from "../live/server";
import { useSettings } from "../live/settings";
import type { SceneNode } from "./scene";

interface FootProps {
  item: SceneNode;
  runId: string;
  problems: readonly Problem[];
}

/** Pictures shown on a node; the gallery has the others. */
const SHOWN = 4;

export const Foot = memo(function Foot({ item, runId, problems }: FootProps) {
  const previews = useSettings((settings) => settings.previews);
  const preview = useRun((run) => run.previews[runId]);
  const output = useRun((run) => run.outputs[runId]);
  const images = output?.images ?? [];
  const text = output?.text ?? [];
  // What a widget cannot say for itself: problems of the node, or of an input that has no widget.
  const told = problems.filter((problem) => {
    const row = item.plan.widgets.find((each) => each.schema.name === problem.input);
    return !row || row.linked;
  });
  if (!(preview && previews) && images.length === 0 && text.length === 0 && told.length === 0) return null;
  return (
    <div className="node-foot">
      {preview && previews ? (
        <div className="node-picture">
          <img src={preview} alt="In the making" draggable={false} />
        </div>
      ) : (
        images.length > 0 && <Pictures images={images} output={output} />
      )}
      {text.length > 0 && <pre className="node-text nodrag nowheel">{text.join("\n")}</pre>}
      {told.length > 0 && (
        <ul className="node-problems">
          {told.map((problem) => (
            <li key={`${problem.code} ${problem.input}`}>
              <CircleAlert aria-hidden="true" />
              <span>
                {problem.message}
                {problem.fix && <em> {problem.fix[0]?.toUpperCase() + problem.fix.slice(1)}.</em>}
              </span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
});

function Pictures({ images, output }: { images: PictureRef[]; output: NodeOutput | undefined }) {
  const shown = images.slice(0, SHOWN);
  return (
    <div className={shown.length > 1 ? "node-pictures" : "node-pictures node-pictures-one"}>
      {shown.map((image, index) => (
        <button
          key={`${image.type}/${image.subfolder}/${image.filename}`}
          type="button"
          className="node-picture nodrag"
          aria-label={`Look at ${image.filename}`}
          onClick={() => openDialog({ dialog: "picture", file: image })}
        >
          <img
            src={client.fileUrl(image)}
            alt={image.filename}
            draggable={false}
            loading="lazy"
            {...(image.width && image.height ? { width: image.width, height: image.height } : {})}
          />
          {index === SHOWN - 1 && images.length > SHOWN && (
            <span className="node-more">+{(output?.images?.length ?? 0) - SHOWN}</span>
          )}
        </button>
      ))}
    </div>
  );
}
