/** What events say about a run and about a job. Pure: an account and an event give the next account. */

import type { WireEvent } from "../api/answers";
import type { Job, NodeState, Problem } from "../api/types";
import type { JobRun, NodeOutput, NodeRun } from "../app/run";

/** The run after an event of its job; one that it has taken in already changes nothing. */
export function account(run: JobRun, event: WireEvent): JobRun {
  if (run.seq !== undefined && event.seq <= run.seq) return run;
  return { ...told(run, event), seq: event.seq };
}

function told(run: JobRun, event: WireEvent): JobRun {
  switch (event.type) {
    case "job_queued":
      return { ...run, status: event.job_summary.status };
    case "job_started":
      // A second attempt starts over: what the first one showed is not what this one does.
      return { ...run, status: "running", startedAt: event.at, nodes: {}, outputs: {}, problems: [] };
    case "run_started":
      return { ...run, nodes: planned(event.nodes, event.cached, event.shapes) };
    case "node_started":
      return withNode(run, event.node, { status: "running", startedAt: event.at, type: event.node_type });
    case "node_progress":
      return withNode(run, event.node, {
        ...run.nodes[event.node],
        status: "running",
        step: event.step,
        total: event.total,
        text: event.text,
      });
    case "node_finished":
      return finished(run, event);
    case "node_errored":
      return {
        ...withNode(run, event.node, { status: "failed", type: event.node_type }),
        problems: [...run.problems, atNode(event.problem, event.node)],
      };
    case "node_skipped":
      return withNode(run, event.node, { status: "skipped", text: event.reason });
    case "job_finished":
      return ended(run, event);
    default:
      return run;
  }
}

/** The job after an event of its own. */
export function jobAfter(job: Job, event: WireEvent): Job {
  switch (event.type) {
    case "job_queued":
      return event.job_summary;
    case "job_started":
      return { ...job, status: "running", started_at: event.at, attempts: event.attempt, device: event.device };
    case "run_started":
      return { ...job, nodes_total: event.nodes.length, nodes_cached: event.cached.length };
    case "job_finished":
      return {
        ...job,
        status: event.status,
        finished_at: event.at,
        seconds: event.seconds,
        outputs: event.outputs,
        problems: event.problems,
      };
    default:
      return job;
  }
}

/** The account of a past run, made from what was stored of it. */
export function recalled(job: Job & { node_states: Record<string, NodeState> }): JobRun {
  const nodes = Object.entries(job.node_states).map(([node, state]) => [node, nodeOf(state)] as const);
  return {
    job: job.id,
    status: job.status,
    nodes: Object.fromEntries(nodes),
    previews: {},
    outputs: job.outputs as Record<string, NodeOutput>,
    problems: job.problems,
    ...(job.started_at !== null && { startedAt: job.started_at }),
    ...(job.seconds !== null && { seconds: job.seconds }),
  };
}

/** @param shapes of cached nodes; events that were logged by an older server have none. */
function planned(
  nodes: readonly string[],
  cached: readonly string[],
  shapes: Readonly<Record<string, readonly string[]>> = {},
): Record<string, NodeRun> {
  const known = new Set(cached);
  return Object.fromEntries(
    nodes.map((node) => [
      node,
      { status: known.has(node) ? "cached" : "waiting", ...(shapes[node] && { shapes: shapes[node] }) },
    ]),
  );
}

function withNode(run: JobRun, node: string, state: NodeRun): JobRun {
  return { ...run, nodes: { ...run.nodes, [node]: state } };
}

function finished(run: JobRun, event: Extract<WireEvent, { type: "node_finished" }>): JobRun {
  const before = run.nodes[event.node];
  const state: NodeRun = { status: event.cached ? "cached" : "done", seconds: event.seconds };
  if (event.key !== null) state.key = event.key;
  if (before?.type) state.type = before.type;
  const shapes = event.shapes ?? [];
  if (shapes.some((shape) => shape !== "")) state.shapes = shapes;
  const shows = Object.keys(event.ui).length > 0;
  const { [event.node]: _, ...previews } = run.previews;
  return {
    ...withNode(run, event.node, state),
    outputs: shows ? { ...run.outputs, [event.node]: event.ui as NodeOutput } : run.outputs,
    previews: event.node in run.previews ? previews : run.previews,
  };
}

function ended(run: JobRun, event: Extract<WireEvent, { type: "job_finished" }>): JobRun {
  const nodes = Object.entries(run.nodes).map(([node, state]) => [
    node,
    state.status === "running" || state.status === "waiting" ? ({ status: "skipped" } satisfies NodeRun) : state,
  ]);
  return {
    ...run,
    status: event.status,
    nodes: Object.fromEntries(nodes),
    previews: {},
    outputs: { ...run.outputs, ...(event.outputs as Record<string, NodeOutput>) },
    problems: event.problems.length > 0 ? event.problems : run.problems,
    ...(event.seconds !== null && { seconds: event.seconds }),
  };
}

/** A node's problem may leave out the node, since the event names it. */
function atNode(problem: Problem, node: string): Problem {
  return problem.node === null ? { ...problem, node } : problem;
}

function nodeOf(state: NodeState): NodeRun {
  const words = { running: "running", done: "done", errored: "failed", skipped: "skipped" } as const;
  const status = state.cached && state.state === "done" ? "cached" : words[state.state];
  return { status, ...(state.seconds !== null && { seconds: state.seconds }) };
}
