/**
 * Jobs that wait, in the order they will run. The order changes by dragging the grip, or with the arrow keys on it.
 */

import { ArrowUpToLine, EllipsisVertical, GripVertical, Trash2 } from "lucide-react";
import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import type { Job } from "../api/types";
import { attempt } from "../live/attempt";
import { jobsStore } from "../live/jobs";
import { client } from "../live/server";
import { MenuButton } from "../theme";
import { Ago, settingsLine } from "./parts";

/** More are not drawn: nobody reads so far, and they come up as the queue moves on. */
const SHOWN = 100;

interface Drag {
  id: string;
  /** The place it would go to, counted without itself. */
  to: number;
}

export function WaitingList({ jobs, total }: { jobs: Job[]; total: number }) {
  const list = useRef<HTMLOListElement>(null);
  const [drag, setDrag] = useState<Drag | null>(null);
  const [said, setSaid] = useState("");
  const shown = jobs.slice(0, SHOWN);

  const move = (job: Job, to: number) => {
    const place = Math.min(Math.max(0, to), jobs.length - 1);
    setSaid(`${job.name ?? "Run"} is number ${place + 1} of ${total}.`);
    void moveTo(jobs, job, place);
  };

  const onKeyDown = (event: KeyboardEvent, job: Job, index: number) => {
    const to = { ArrowUp: index - 1, ArrowDown: index + 1, Home: 0, End: jobs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    move(job, to);
  };

  const placeAt = (id: string, y: number) => {
    const items = [...(list.current?.children ?? [])].filter((item) => (item as HTMLElement).dataset.job !== id);
    return items.filter((item) => middle(item) < y).length;
  };

  const grip = (job: Job, index: number) => ({
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      setDrag({ id: job.id, to: index });
    },
    onPointerMove: (event: PointerEvent) => {
      if (drag?.id === job.id) setDrag({ id: job.id, to: placeAt(job.id, event.clientY) });
    },
    onPointerUp: () => {
      if (drag?.id === job.id && drag.to !== index) move(job, drag.to);
      setDrag(null);
    },
    onPointerCancel: () => setDrag(null),
    onKeyDown: (event: KeyboardEvent) => onKeyDown(event, job, index),
  });

  return (
    <section aria-label="Waiting">
      <h3 className="column-heading">
        Waiting <span>{total}</span>
      </h3>
      <ol className="waiting" ref={list}>
        {shown.map((job, index) => (
          <li
            key={job.id}
            data-job={job.id}
            className={dropClass(drag, shown, job, index)}
            aria-label={`${job.name ?? "Untitled"}, number ${index + 1}`}
          >
            <button
              type="button"
              className="grip"
              aria-label={`Move ${job.name ?? "the run"}: number ${index + 1}. Arrow keys move it.`}
              {...grip(job, index)}
            >
              <GripVertical aria-hidden="true" />
            </button>
            <div className="job-main">
              <h4 className="job-name">{job.name ?? "Untitled"}</h4>
              <p className="job-line">{settingsLine(job.settings) || <Ago at={job.created_at} />}</p>
            </div>
            <MenuButton
              label={`More for ${job.name ?? "the run"}`}
              iconOnly
              size="small"
              icon={<EllipsisVertical />}
              entries={[
                { label: "Run next", icon: <ArrowUpToLine />, onSelect: () => move(job, 0) },
                { label: "Run last", onSelect: () => move(job, jobs.length - 1) },
                "separator",
                {
                  label: "Delete",
                  icon: <Trash2 />,
                  danger: true,
                  onSelect: () => void attempt("The run could not be deleted", () => client.deleteJob(job.id)),
                },
              ]}
            />
          </li>
        ))}
      </ol>
      {total > shown.length && <p className="column-note">and {total - shown.length} more</p>}
      <p className="visually-hidden" aria-live="polite">
        {said}
      </p>
    </section>
  );
}

/** Show the new order at once; the server's event makes it true, or its refusal puts it back. */
async function moveTo(jobs: Job[], job: Job, to: number): Promise<void> {
  const others = jobs.filter((each) => each.id !== job.id);
  const next = others[to];
  const before = others[to - 1];
  const position = between(before?.position, next?.position);
  put({ ...job, position });
  const moved = await attempt("The run could not be moved", () =>
    to === 0 ? client.moveToFront(job.id) : client.move(job.id, next?.id ?? null),
  );
  if (moved === undefined) put(job);
}

function put(job: Job): void {
  jobsStore.setState(({ live }) => (live[job.id] ? { live: { ...live, [job.id]: job } } : {}));
}

function between(low: number | undefined, high: number | undefined): number {
  if (low === undefined) return (high ?? 0) - 1;
  return high === undefined ? low + 1 : (low + high) / 2;
}

function middle(item: Element): number {
  const box = item.getBoundingClientRect();
  return box.top + box.height / 2;
}

/** Where the dragged job would land is shown as a line above or below its neighbour. */
function dropClass(drag: Drag | null, shown: Job[], job: Job, index: number): string {
  if (!drag) return "job job-waiting";
  if (drag.id === job.id) return "job job-waiting job-dragged";
  const from = shown.findIndex((each) => each.id === drag.id);
  const place = from >= 0 && from < index ? index - 1 : index;
  const last = place === shown.length - 2;
  if (place === drag.to) return "job job-waiting drop-above";
  return last && drag.to > place ? "job job-waiting drop-below" : "job job-waiting";
}
