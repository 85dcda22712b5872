/** The queue: what runs, with its picture as it develops, and what waits, in an order that can be changed. */

import { CircleStop, Film, Pause, Play } from "lucide-react";
import { attempt } from "../live/attempt";
import { cancelRunning, setPaused } from "../live/commands";
import { confirm, openPanel } from "../live/desk";
import { runningIn, useJobs, waitingIn } from "../live/jobs";
import { client } from "../live/server";
import { Button, EmptyState, IconButton, Keys } from "../theme";
import { Panel } from "./parts";
import { RunningJob } from "./RunningJob";
import { WaitingList } from "./WaitingList";

export function QueuePanel() {
  const live = useJobs((jobs) => jobs.live);
  const paused = useJobs((jobs) => jobs.paused);
  const queued = useJobs((jobs) => jobs.queued);
  const running = runningIn(live);
  const waiting = waitingIn(live);
  const busy = running.length + waiting.length > 0;
  return (
    <Panel tools={<Tools paused={paused} busy={busy} total={running.length + queued} />}>
      {paused && (
        <p className="column-note">
          The queue is paused. What you run is kept and waits until it goes on, also after a restart.
        </p>
      )}
      {running.map((job) => (
        <RunningJob key={job.id} job={job} />
      ))}
      {waiting.length > 0 && <WaitingList jobs={waiting} total={queued} />}
      {!busy && (
        <EmptyState
          icon={<Film />}
          title="Nothing is queued"
          actions={<Button onClick={() => openPanel("history")}>See past runs</Button>}
        >
          Run a graph with <Keys of="Ctrl+Enter" />. Runs line up here; they survive a restart of the server.
        </EmptyState>
      )}
    </Panel>
  );
}

function Tools({ paused, busy, total }: { paused: boolean; busy: boolean; total: number }) {
  return (
    <>
      <Button size="small" icon={paused ? <Play /> : <Pause />} onClick={() => void setPaused(!paused)}>
        {paused ? "Go on" : "Pause"}
      </Button>
      <span className="column-space" />
      {busy && (
        <>
          <Button size="small" kind="quiet" onClick={() => askToClear()}>
            Clear waiting
          </Button>
          <IconButton size="small" label="Cancel everything" onClick={() => askToCancelAll(total)}>
            <CircleStop />
          </IconButton>
        </>
      )}
    </>
  );
}

function askToClear(): void {
  confirm(
    { title: "Clear the queue?", text: "All runs that wait are deleted. What runs now goes on.", action: "Clear" },
    () => void attempt("The queue could not be cleared", () => client.clear("queued")),
  );
}

function askToCancelAll(total: number): void {
  if (total === 1) return void cancelRunning();
  confirm(
    {
      title: "Cancel everything?",
      text: `${total} runs are cancelled, those that run and those that wait. They stay in the history.`,
      action: `Cancel ${total} runs`,
    },
    () => void attempt("The runs could not be cancelled", () => client.cancelAll()),
  );
}
