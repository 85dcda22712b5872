/** Graphs to begin with. */

import { LayoutTemplate } from "lucide-react";
import { useEffect, useState } from "react";
import type { TemplateSummary } from "../api/answers";
import { sentence } from "../api/errors";
import { openTemplate } from "../live/opening";
import { client } from "../live/server";
import { Button, classes, EmptyState, Spinner } from "../theme";
import { Panel } from "./parts";

export function TemplatesPanel() {
  const [templates, setTemplates] = useState<readonly TemplateSummary[]>();
  const [failure, setFailure] = useState<string>();
  const load = () => {
    setFailure(undefined);
    client.templates().then(setTemplates, (error) => setFailure(sentence(error)));
  };
  useEffect(load, []);
  if (failure) {
    return (
      <Panel>
        <EmptyState title="The templates could not be read" actions={<Button onClick={load}>Try again</Button>}>
          {failure}
        </EmptyState>
      </Panel>
    );
  }
  const categories = [...new Set(templates?.map((each) => each.category ?? ""))];
  return (
    <Panel>
      {!templates && <Spinner />}
      {categories.map((category) => {
        const shown = templates?.filter((each) => (each.category ?? "") === category) ?? [];
        return (
          <div key={category}>
            {category && categories.length > 1 && <h3 className="column-heading">{category}</h3>}
            {/* Cards are for looking at; where there is nothing to see, lines are read faster. */}
            <ul className={classes("templates", shown.some((each) => each.thumbnail) && "templates-seen")}>
              {shown.map((each) => (
                <Template key={each.name} template={each} />
              ))}
            </ul>
          </div>
        );
      })}
    </Panel>
  );
}

function Template({ template }: { template: TemplateSummary }) {
  const [wide, setWide] = useState(false);
  return (
    <li className={wide ? "template-wide" : undefined}>
      <button
        type="button"
        className="template"
        title={template.description}
        onClick={() => void openTemplate(template.name)}
      >
        <span className="template-picture">
          {template.thumbnail ? (
            <img
              src={client.transport.url(template.thumbnail)}
              alt=""
              loading="lazy"
              decoding="async"
              onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) =>
                setWide(naturalWidth > naturalHeight * 1.4)
              }
            />
          ) : (
            <LayoutTemplate aria-hidden="true" />
          )}
        </span>
        <span className="template-words">
          <span className="job-name">{template.title}</span>
          <span className="template-text">{template.description}</span>
          {template.nodes ? <span className="job-line">{template.nodes} nodes</span> : null}
        </span>
      </button>
    </li>
  );
}
