/** Past runs: their pictures, what became of them, and their graphs to open again as they were. */

import { EllipsisVertical, History, ImageOff, RotateCcw, Trash2 } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import type { Job } from "../api/types";
import { attempt } from "../live/attempt";
import { confirm } from "../live/desk";
import { inWords } from "../live/estimate";
import { jobsStore, loadMorePast, searchPast, useJobs } from "../live/jobs";
import { replay } from "../live/opening";
import { download, fileKey, picturesOf } from "../live/pictures";
import { client } from "../live/server";
import { Button, classes, EmptyState, Keys, MenuButton, SearchInput } from "../theme";
import { Ago, Panel, Picture, StatusChip, settingsLine } from "./parts";

/** Pictures shown of one run. */
const COLLAGE = 4;
const TYPING_MS = 250;

export function HistoryPanel() {
  const past = useJobs((jobs) => jobs.past);
  const total = useJobs((jobs) => jobs.pastTotal);
  const search = useJobs((jobs) => jobs.search);
  return (
    <Panel tools={<Tools total={total} />}>
      {past.length > 0 && (
        <ul className="jobs">
          {past.map((job) => (
            <PastJob key={job.id} job={job} />
          ))}
        </ul>
      )}
      {past.length < total && (
        <Button
          className="column-more"
          onClick={() => void attempt("No more could be read", () => loadMorePast(client))}
        >
          Show {Math.min(40, total - past.length)} more of {total - past.length}
        </Button>
      )}
      {past.length === 0 && search && (
        <EmptyState title="No run is called that">Names are those of the workflows that ran.</EmptyState>
      )}
      {past.length === 0 && !search && (
        <EmptyState icon={<History />} title="Nothing has run yet">
          Every run is kept here with its pictures, and can be opened again as it was. Begin with{" "}
          <Keys of="Ctrl+Enter" />.
        </EmptyState>
      )}
    </Panel>
  );
}

function Tools({ total }: { total: number }) {
  const [text, setText] = useState(jobsStore.getState().search);
  const timer = useRef<number>(undefined);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const type = (wished: string) => {
    setText(wished);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(
      () => void attempt("The history could not be searched", () => searchPast(client, wished)),
      TYPING_MS,
    );
  };
  return (
    <>
      <SearchInput
        label="Search past runs"
        className="column-search"
        value={text}
        onChange={(event) => type(event.target.value)}
      />
      <MenuButton
        label="More for the history"
        iconOnly
        size="small"
        icon={<EllipsisVertical />}
        entries={[
          {
            label: "Delete the history…",
            icon: <Trash2 />,
            danger: true,
            disabled: total === 0,
            onSelect: askToClear,
          },
        ]}
      />
    </>
  );
}

function PastJob({ job }: { job: Job }) {
  const pictures = picturesOf(job.outputs);
  const name = job.name ?? "Untitled";
  const open = () => void replay(job.id);
  const again = () => void attempt("It could not be queued again", () => client.retry(job.id));
  const first = pictures[0];
  return (
    <li className="job job-past">
      <button type="button" className="job-open" onClick={open} title="Open the graph as it ran">
        <span className={classes("collage", `collage-${Math.min(COLLAGE, pictures.length)}`)}>
          {pictures.slice(0, COLLAGE).map((file) => (
            <Picture key={fileKey(file)} file={file} alt="" thumbnail={256} />
          ))}
          {!first && <ImageOff aria-hidden="true" />}
        </span>
        <span className="job-main">
          <span className="job-name">{name}</span>
          <span className="job-line">
            <Ago at={job.finished_at ?? job.created_at} />
            {job.seconds !== null && ` · ${inWords(job.seconds)}`}
            {pictures.length > 1 && ` · ${pictures.length} pictures`}
          </span>
          <span className="job-line">{settingsLine(job.settings) || cachedWords(job)}</span>
          {job.status !== "done" && <StatusChip status={job.status} />}
          {job.problems[0] && <span className="job-problem">{job.problems[0].message}</span>}
        </span>
      </button>
      <MenuButton
        label={`More for ${name}`}
        iconOnly
        size="small"
        icon={<EllipsisVertical />}
        entries={[
          { label: "Open its graph", onSelect: open },
          { label: "Run it again", icon: <RotateCcw />, onSelect: again },
          {
            label: "Download its pictures",
            disabled: !first,
            onSelect: () => {
              for (const file of pictures) download(client.fileUrl(file), file.filename);
            },
          },
          "separator",
          {
            label: "Delete from the history",
            icon: <Trash2 />,
            danger: true,
            onSelect: () => void attempt("It could not be deleted", () => client.deleteJob(job.id)),
          },
        ]}
      />
    </li>
  );
}

function cachedWords(job: Job): string {
  if (!job.nodes_cached || !job.nodes_total) return "";
  return job.nodes_cached === job.nodes_total
    ? " · all known before"
    : ` · ${job.nodes_cached} of ${job.nodes_total} known`;
}

function askToClear(): void {
  confirm(
    {
      title: "Delete the history?",
      text: "All past runs are deleted. Their pictures stay in the gallery and on the disk.",
      action: "Delete the history",
    },
    () => void attempt("The history could not be deleted", () => client.clear("finished")),
  );
}
