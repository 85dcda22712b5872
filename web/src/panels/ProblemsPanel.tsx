/** What keeps the graph from running, or made it fail: where, why, and what can be done with one click. */

import { CircleCheck, CornerDownRight, RefreshCw } from "lucide-react";
import type { Problem } from "../api/types";
import { useCatalogue } from "../app/catalogue";
import { runStore, useDoubts, useProblems, useRun } from "../app/run";
import { activeTab, useTab } from "../app/store";
import type { Workflow } from "../document";
import { fixesOf } from "../live/fixes";
import { placeOf } from "../live/inside";
import { goTo } from "../live/jump";
import { validateNow } from "../live/validation";
import { Button, EmptyState, Keys } from "../theme";
import { Panel } from "./parts";

export function ProblemsPanel() {
  const problems = useProblems() as readonly Problem[];
  const document = useTab((tab) => tab.document);
  const doubts = useDoubts() as readonly Problem[];
  const tab = useTab((each) => each.id);
  const failed = useRun((run) => run.status === "failed" && run.problems.length > 0);
  return (
    <Panel
      tools={
        <>
          <span className="column-title">{failed ? "The last run failed" : count(problems.length)}</span>
          <span className="column-space" />
          <Button size="small" icon={<RefreshCw />} onClick={() => void validateNow()}>
            Check again
          </Button>
        </>
      }
    >
      {doubts.length > 0 && (
        <section aria-label="When it was opened">
          <div className="problems-doubts">
            <h3 className="column-heading">When it was opened</h3>
            <Button size="small" onClick={() => runStore.getState().setDoubts(tab, [])}>
              Dismiss
            </Button>
          </div>
          <List problems={doubts} document={document} />
        </section>
      )}
      {problems.length > 0 ? (
        <List problems={problems} document={document} />
      ) : (
        <EmptyState icon={<CircleCheck />} title="Nothing is in the way">
          The graph is checked while you edit it. Run it with <Keys of="Ctrl+Enter" />.
        </EmptyState>
      )}
    </Panel>
  );
}

function List({ problems, document }: { problems: readonly Problem[]; document: Workflow }) {
  return (
    <ul className="problems">
      {problems.map((problem) => (
        <Item
          key={`${problem.code} ${problem.node} ${problem.input} ${problem.message}`}
          problem={problem}
          document={document}
        />
      ))}
    </ul>
  );
}

function Item({ problem, document }: { problem: Problem; document: Workflow }) {
  const catalogue = useCatalogue();
  const { node } = problem;
  const place = node ? placeOf(document, node) : undefined;
  const fixes = fixesOf(problem, document, catalogue);
  const title = place ? (place.found.title ?? place.found.type) : node;
  return (
    <li className="problem">
      {node && (
        <button type="button" className="problem-where" disabled={!place} onClick={() => goTo(node)}>
          <CornerDownRight aria-hidden="true" />
          {title}
          {problem.input && ` › ${problem.input}`}
        </button>
      )}
      <p className="problem-message">{problem.message}</p>
      {(problem.wanted || problem.got) && (
        <p className="job-line">
          {problem.wanted && `Wanted: ${problem.wanted}. `}
          {problem.got && `Came: ${problem.got}.`}
        </p>
      )}
      {fixes.length > 0 ? (
        <div className="problem-fixes">
          {fixes.map((fix) => (
            <Button
              key={fix.title}
              size="small"
              onClick={() => {
                activeTab().getState().dispatch(fix.changes);
                void validateNow();
              }}
            >
              {fix.title}
            </Button>
          ))}
        </div>
      ) : (
        problem.fix && <p className="problem-fix">{`${problem.fix[0]?.toUpperCase()}${problem.fix.slice(1)}.`}</p>
      )}
    </li>
  );
}

function count(problems: number): string {
  return problems === 0 ? "No problems" : problems === 1 ? "1 problem" : `${problems} problems`;
}
