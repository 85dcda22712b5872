/** Past runs: their pictures, what became of them, and their graphs to open again as they were. */

import { EllipsisVertical, History, RotateCcw, Trash2 } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import type { Job } from "../api/types";
import { attempt } from "../live/attempt";
import { confirm } from "../live/desk";
import { inWords } from "../live/estimate";
import { jobsStore, loadMorePast, searchPast, useJobs } from "../live/jobs";
import { replay } from "../live/opening";
import { download, fileKey, picturesOf } from "../live/pictures";
import { client } from "../live/server";
import { Button, EmptyState, Keys, MenuButton, SearchInput } from "../theme";
import { Ago, Panel, Picture, StatusChip, settingsLine } from "./parts";

/** Pictures that fit beside each other. */
const STRIP = 4;
const TYPING_MS = 250;

export function HistoryPanel() {
  const past = useJobs((jobs) => jobs.past);
  const total = useJobs((jobs) => jobs.pastTotal);
  const search = useJobs((jobs) => jobs.search);
  return (
    <Panel name="History" tools={<Tools total={total} />}>
      {past.length > 0 && (
        <ul className="jobs">
          {past.map((job) => (
            <PastJob key={job.id} job={job} />
          ))}
        </ul>
      )}
      {past.length < total && (
        <Button className="side-more" onClick={() => void attempt("No more could be read", () => loadMorePast(client))}>
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
        className="side-search"
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
      <button type="button" className="job-open" onClick={open} aria-label={`Open the graph of ${name} as it ran`}>
        {pictures.length > 0 && (
          <span className={`strip strip-${Math.min(STRIP, pictures.length)}`}>
            {pictures.slice(0, STRIP).map((file, index) => (
              <span key={fileKey(file)} className="strip-item">
                <Picture file={file} alt="" thumbnail={256} />
                {index === STRIP - 1 && pictures.length > STRIP && <span>+{pictures.length - STRIP}</span>}
              </span>
            ))}
          </span>
        )}
      </button>
      <div className="job-foot">
        <div className="job-main">
          <h3 className="job-name">{name}</h3>
          <p className="job-line">
            <Ago at={job.finished_at ?? job.created_at} />
            {job.seconds !== null && ` · ${inWords(job.seconds)}`}
            {cachedWords(job)}
          </p>
          {Object.keys(job.settings).length > 0 && <p className="job-line">{settingsLine(job.settings)}</p>}
          {job.problems[0] && <p className="job-problem">{job.problems[0].message}</p>}
        </div>
        {job.status !== "done" && <StatusChip status={job.status} />}
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
      </div>
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
