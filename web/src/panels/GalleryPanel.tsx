/** All pictures that were made, the newest first: look closely, compare, open the graph, download, delete. */

import { Check, Images, RefreshCw } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import type { OutputFile } from "../api/answers";
import { attempt } from "../live/attempt";
import { openDialog } from "../live/desk";
import { choose, galleryStore, loadGallery, loadMorePictures, useGallery } from "../live/gallery";
import { jobsStore } from "../live/jobs";
import { fileKey } from "../live/pictures";
import { Button, classes, EmptyState, IconButton, SearchInput, Spinner } from "../theme";
import { Panel, Picture } from "./parts";

const TYPING_MS = 250;

export function GalleryPanel() {
  const files = useGallery((gallery) => gallery.files);
  const hidden = useGallery((gallery) => gallery.hidden);
  const total = useGallery((gallery) => gallery.total);
  const state = useGallery((gallery) => gallery.state);
  const search = useGallery((gallery) => gallery.search);
  const chosen = useGallery((gallery) => gallery.chosen);
  useEffect(stayCurrent, []);
  const shown = files.filter((file) => !hidden.has(fileKey(file)));
  return (
    <Panel tools={<Tools />}>
      {chosen.length > 0 && <Chosen chosen={chosen} />}
      {shown.length > 0 && (
        <ul className="gallery">
          {shown.map((file) => (
            <Tile key={fileKey(file)} file={file} chosen={chosen.some((each) => fileKey(each) === fileKey(file))} />
          ))}
        </ul>
      )}
      {files.length < total && <More />}
      {state === "loading" && shown.length === 0 && <Spinner />}
      {state !== "loading" && shown.length === 0 && (
        <EmptyState
          icon={<Images />}
          title={
            search
              ? "No picture is called that"
              : state === "failed"
                ? "The pictures could not be read"
                : "No pictures yet"
          }
          actions={state === "failed" && <Button onClick={() => void refresh()}>Try again</Button>}
        >
          {search
            ? "The search looks at file names."
            : "What SaveImage keeps is shown here, with the graph that made it."}
        </EmptyState>
      )}
    </Panel>
  );
}

function Tools() {
  const [text, setText] = useState(galleryStore.getState().search);
  const timer = useRef<number>(undefined);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  return (
    <>
      <SearchInput
        label="Search pictures"
        className="column-search"
        value={text}
        onChange={(event) => {
          const wished = event.target.value;
          setText(wished);
          window.clearTimeout(timer.current);
          timer.current = window.setTimeout(() => void refresh(wished), TYPING_MS);
        }}
      />
      <IconButton size="small" label="Look again" onClick={() => void refresh()}>
        <RefreshCw />
      </IconButton>
    </>
  );
}

function Tile({ file, chosen }: { file: OutputFile; chosen: boolean }) {
  return (
    <li className={classes("tile", chosen && "tile-chosen")}>
      <button
        type="button"
        className="tile-open"
        aria-label={`Look at ${file.filename}`}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) choose(file);
          else openDialog({ dialog: "picture", file });
        }}
      >
        <Picture file={file} alt="" thumbnail={256} />
      </button>
      <button
        type="button"
        className="tile-choose"
        aria-pressed={chosen}
        aria-label={`Choose ${file.filename} for comparing`}
        onClick={() => choose(file)}
      >
        <Check aria-hidden="true" />
      </button>
    </li>
  );
}

function Chosen({ chosen }: { chosen: readonly OutputFile[] }) {
  const [left, right] = chosen;
  return (
    <div className="column-bar" role="status">
      <span>{right ? "Two pictures chosen" : "Choose another to compare with"}</span>
      {left && right && (
        <Button size="small" kind="primary" onClick={() => openDialog({ dialog: "compare", left, right })}>
          Compare
        </Button>
      )}
      <Button size="small" kind="quiet" onClick={() => galleryStore.setState({ chosen: [] })}>
        Cancel
      </Button>
    </div>
  );
}

/** Loads on when it comes into view. */
function More() {
  const end = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const element = end.current;
    if (!element) return;
    const observer = new IntersectionObserver(([entry]) => {
      if (entry?.isIntersecting) void more();
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return (
    <button ref={end} type="button" className="button button-plain column-more" onClick={() => void more()}>
      Show more
    </button>
  );
}

function more(): Promise<unknown> {
  return attempt("No more pictures could be read", loadMorePictures);
}

function refresh(search?: string): Promise<unknown> {
  return attempt("The pictures could not be read", () => loadGallery(search));
}

/** Read the pictures, and again whenever a run has finished. */
function stayCurrent(): () => void {
  void refresh();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = jobsStore.subscribe((now, before) => {
    if (now.past[0] === before.past[0]) return;
    clearTimeout(timer);
    timer = setTimeout(() => void refresh(), 300);
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}
