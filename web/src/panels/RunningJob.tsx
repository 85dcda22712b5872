/** A job that runs now: the picture as it develops, how far it is, and a way to stop it. */

import { Aperture, X } from "lucide-react";
import type { Job } from "../api/types";
import { attempt } from "../live/attempt";
import { useEstimate } from "../live/durations";
import { inWords } from "../live/estimate";
import { client } from "../live/server";
import { useSettings } from "../live/settings";
import { IconButton, Progress } from "../theme";
import { settingsLine } from "./parts";

export function RunningJob({ job }: { job: Job }) {
  const { run, share, left } = useEstimate(job.id);
  const wanted = useSettings((settings) => settings.previews);
  const preview = wanted ? Object.values(run?.previews ?? {}).at(-1) : undefined;
  const name = job.name ?? "Untitled";
  const node = Object.values(run?.nodes ?? {}).find((each) => each.status === "running");
  const steps = node?.total ? `, step ${node.step ?? 0} of ${node.total}` : "";
  return (
    <article className="job job-running" aria-label={`${name}, running`}>
      <div className="job-thumb">{preview ? <img src={preview} alt="So far" /> : <Aperture aria-hidden="true" />}</div>
      <div className="job-main">
        <h3 className="job-name">{name}</h3>
        <p className="job-line">{node?.type ? `${node.type}${steps}` : "Starting"}</p>
        {Object.keys(job.settings).length > 0 && <p className="job-line">{settingsLine(job.settings)}</p>}
        <Progress label={`Progress of ${name}`} value={share} />
        <p className="job-line job-numbers">
          <span>{share === null ? "" : `${Math.round(share * 100)} %`}</span>
          <span>{left !== null && left >= 1 ? `${inWords(left)} left` : ""}</span>
        </p>
      </div>
      <IconButton
        size="small"
        label={`Cancel ${name}`}
        onClick={() => void attempt("The run could not be cancelled", () => client.cancel(job.id))}
      >
        <X />
      </IconButton>
    </article>
  );
}
