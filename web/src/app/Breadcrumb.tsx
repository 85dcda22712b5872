/** Where in the workflow the canvas is: the way into the subgraph on show, and back. */

import { ChevronRight } from "lucide-react";
import { Fragment } from "react";
import { tabTitle, useTab } from "./store";

export function Breadcrumb() {
  const path = useTab((tab) => tab.path);
  const document = useTab((tab) => tab.document);
  const saved = useTab((tab) => tab.saved);
  const leave = useTab((tab) => tab.leave);
  if (path.length === 0) return null;
  return (
    <nav className="breadcrumb" aria-label="Where you are">
      <button type="button" onClick={() => leave(0)}>
        {tabTitle({ document, saved })}
      </button>
      {path.map((step, index) => {
        const name = document.subgraphs?.[step.subgraph]?.name || step.subgraph;
        const last = index === path.length - 1;
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a step is its place in the path
          <Fragment key={`${index} ${step.node}`}>
            <ChevronRight aria-hidden="true" />
            <button type="button" aria-current={last ? "page" : undefined} onClick={() => leave(index + 1)}>
              {name}
            </button>
          </Fragment>
        );
      })}
    </nav>
  );
}
