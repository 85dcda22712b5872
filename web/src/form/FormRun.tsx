/** The big button, and what it is doing: a word, a bar, the time left, a way to stop. */

import { Play, Square } from "lucide-react";
import { useProblems, useRun } from "../app/run";
import { useTab } from "../app/store";
import { attempt } from "../live/attempt";
import { useConnection } from "../live/connection";
import { useEstimate } from "../live/durations";
import { inWords } from "../live/estimate";
import { client } from "../live/server";
import { queueRun, useSubmit } from "../live/submit";
import { Button, Progress } from "../theme";
import type { Field } from "./model";

/** @param fields those on the page: problems of other inputs are told here. */
export function FormRun({ fields }: { fields: readonly Field[] }) {
  const sending = useSubmit((state) => state.sending > 0);
  const job = useRun((run) => run.job);
  const status = useRun((run) => run.status);
  const empty = useTab((tab) => Object.keys(tab.document.nodes).length === 0);
  const busy = job !== "" && (status === "running" || status === "queued");
  return (
    <div className="form-run">
      {busy ? (
        <Underway job={job} />
      ) : (
        <Button
          kind="primary"
          icon={<Play />}
          className="form-button"
          busy={sending}
          disabled={empty}
          onClick={() => void queueRun()}
        >
          Run
        </Button>
      )}
      {!busy && <Trouble fields={fields} failed={job !== "" && status === "failed"} />}
    </div>
  );
}

function Underway({ job }: { job: string }) {
  const { run, share, left } = useEstimate(job);
  const paused = useConnection((state) => state.met && state.stream !== "open");
  const node = Object.values(run?.nodes ?? {}).find((each) => each.status === "running");
  const steps = node?.total ? `Step ${node.step ?? 0} of ${node.total}` : "Working";
  const words = paused ? "Reconnecting" : run?.status === "queued" ? "Waiting for its turn" : steps;
  return (
    <div className="form-underway">
      <div>
        <p role="status">
          {words}
          {left !== null && left >= 1 && <span>, {inWords(left)} left</span>}
        </p>
        <Progress label="Progress" value={share} />
      </div>
      <Button
        icon={<Square />}
        className="form-button"
        onClick={() => void attempt("The run could not be stopped", () => client.cancel(job))}
      >
        Stop
      </Button>
    </div>
  );
}

function Trouble({ fields, failed }: { fields: readonly Field[]; failed: boolean }) {
  const problems = useProblems();
  const elsewhere = problems.filter(
    (problem) => !fields.some((field) => field.node === problem.node && field.schema.name === problem.input),
  );
  const here = problems.length - elsewhere.length;
  if (problems.length === 0 && !failed) return null;
  return (
    <div role="alert" className="form-trouble">
      {here > 0 && <p>{here === 1 ? "One field needs another value." : `${here} fields need other values.`}</p>}
      {elsewhere.slice(0, 3).map((problem) => (
        <p key={`${problem.node} ${problem.input} ${problem.code}`}>{problem.message}</p>
      ))}
      {problems.length === 0 && <p>The run failed.</p>}
    </div>
  );
}
