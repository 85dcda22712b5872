/** Running: the button, how often, what runs now and how long it will take, and what is in the way. */

import { ChevronDown, CirclePause, ListPlus, Pause, Play, Square, TriangleAlert, WifiOff } from "lucide-react";
import type { Job } from "../api/types";
import { useProblems } from "../app/run";
import { useTab } from "../app/store";
import { cancelRunning, run, setPaused } from "../live/commands";
import { useConnection } from "../live/connection";
import { openDialog, openPanel } from "../live/desk";
import { useEstimate, useEstimates } from "../live/durations";
import { inWords } from "../live/estimate";
import { placeOf } from "../live/inside";
import { runningIn, useJobs } from "../live/jobs";
import { queueRun, submitStore, useSubmit } from "../live/submit";
import { Button, IconButton, MenuButton, type MenuEntry, Progress, Tooltip } from "../theme";

const MOST = 100;
const MOD = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl";

export function RunBar() {
  return (
    <div className="run-bar" role="toolbar" aria-label="Run">
      <Now />
      <Trouble />
      <QueueButton />
      <Count />
      <RunButton />
    </div>
  );
}

function RunButton() {
  const sending = useSubmit((state) => state.sending > 0);
  const empty = useTab((tab) => Object.keys(tab.document.nodes).length === 0);
  const outputs = useTab((tab) => tab.selection.nodes);
  const paused = useJobs((jobs) => jobs.paused);
  const entries: MenuEntry[] = [
    { label: "Run before everything that waits", shortcut: `${MOD}+Shift+Enter`, onSelect: () => run(true) },
    {
      label: "Run up to the selected nodes",
      disabled: outputs.size === 0,
      onSelect: () => void queueRun({ outputs: [...outputs] }),
    },
    { label: "Sweep…", onSelect: () => openDialog({ dialog: "sweep" }) },
    "separator",
    { label: paused ? "Let the queue go on" : "Pause the queue", onSelect: () => void setPaused(!paused) },
  ];
  return (
    <div className="run-split">
      <Tooltip text={empty ? "Add nodes first" : `Run (${MOD}+Enter)`} describes={false}>
        <Button kind="primary" size="large" icon={<Play />} busy={sending} disabled={empty} onClick={() => run()}>
          Run
        </Button>
      </Tooltip>
      <MenuButton
        label="More ways to run"
        iconOnly
        kind="primary"
        size="large"
        icon={<ChevronDown />}
        disabled={empty}
        entries={entries}
      />
    </div>
  );
}

function Count() {
  const count = useSubmit((state) => state.count);
  return (
    <Tooltip text="How many pictures to queue at once; set a seed to random to make them differ">
      <label className="run-count">
        <span aria-hidden="true">×</span>
        <input
          type="number"
          className="input"
          aria-label="How many runs"
          min={1}
          max={MOST}
          value={count}
          onChange={(event) => {
            const wished = Math.round(Number(event.target.value));
            submitStore.setState({ count: Math.min(MOST, Math.max(1, wished || 1)) });
          }}
          onFocus={(event) => event.target.select()}
        />
      </label>
    </Tooltip>
  );
}

/** What runs now. */
function Now() {
  const live = useJobs((jobs) => jobs.live);
  const running = runningIn(live);
  const [first] = running;
  if (!first) return null;
  return running.length === 1 ? <OneRun job={first} /> : <ManyRuns jobs={running} />;
}

function OneRun({ job }: { job: Job }) {
  const { run, share, left } = useEstimate(job.id);
  const document = useTab((tab) => tab.document);
  const running = Object.entries(run?.nodes ?? {}).find(([, node]) => node.status === "running");
  const place = running && placeOf(document, running[0]);
  const doing = running ? (place?.found.title ?? running[1].type ?? running[0]) : "Starting";
  const steps = running?.[1].total ? ` ${running[1].step ?? 0}/${running[1].total}` : "";
  return <Progressing what={doing + steps} name={job.name ?? "the run"} share={share} left={left} />;
}

/** Runs that share their batches get on together, and end together. */
function ManyRuns({ jobs }: { jobs: readonly Job[] }) {
  const { share, left } = useEstimates(jobs.map((job) => job.id));
  return <Progressing what={`${jobs.length} runs`} name={`${jobs.length} runs`} share={share} left={left} />;
}

interface ProgressingProps {
  what: string;
  name: string;
  share: number | null;
  left: number | null;
}

function Progressing({ what, name, share, left }: ProgressingProps) {
  return (
    <div className="run-now">
      <div className="run-now-words">
        <span className="run-now-node">{what}</span>
        <span className="run-now-left">
          {share !== null && `${Math.round(share * 100)} %`}
          {left !== null && left >= 1 && ` · ${inWords(left)} left`}
        </span>
      </div>
      <Progress label={`Progress of ${name}`} value={share} />
      <IconButton label={`Cancel ${name}`} shortcut={`${MOD}+Alt+Enter`} onClick={() => void cancelRunning()}>
        <Square />
      </IconButton>
    </div>
  );
}

function QueueButton() {
  const queued = useJobs((jobs) => jobs.queued);
  const paused = useJobs((jobs) => jobs.paused);
  if (paused) {
    return (
      <Button kind="quiet" icon={<CirclePause />} onClick={() => void setPaused(false)}>
        Paused{queued > 0 && `, ${queued} waiting`}
      </Button>
    );
  }
  if (queued === 0) return null;
  return (
    <>
      <Button kind="quiet" icon={<ListPlus />} onClick={() => openPanel("queue")}>
        {queued} waiting
      </Button>
      <IconButton label="Pause the queue" onClick={() => void setPaused(true)}>
        <Pause />
      </IconButton>
    </>
  );
}

/** What keeps the graph from running: no server, no worker, problems. */
function Trouble() {
  const problems = useProblems().length;
  const stream = useConnection((state) => state.stream);
  const met = useConnection((state) => state.met);
  const refused = useConnection((state) => state.refused);
  const worker = useConnection((state) => state.worker);
  if (refused) return <Word text="Open the address that the server printed: this browser has no access." />;
  if (met && stream !== "open") return <Word text="The server is away. Your edits are kept here; reconnecting." />;
  if (worker === "starting" || worker === "gone") {
    return (
      <span className="run-word">{worker === "starting" ? "Worker is starting…" : "Worker is being replaced…"}</span>
    );
  }
  if (problems === 0) return null;
  return (
    <Button kind="quiet" icon={<TriangleAlert />} className="run-problems" onClick={() => openPanel("problems")}>
      {problems === 1 ? "1 problem" : `${problems} problems`}
    </Button>
  );
}

function Word({ text }: { text: string }) {
  return (
    <Tooltip text={text}>
      <button type="button" className="run-word run-word-bad" aria-label={text}>
        <WifiOff aria-hidden="true" />
        <span>{text.split(/[.:]/)[0]}</span>
      </button>
    </Tooltip>
  );
}
