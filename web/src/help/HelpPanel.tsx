/** Help for the node that is selected. */

import { CircleHelp } from "lucide-react";
import { useMemo } from "react";
import { useCatalogue } from "../app/catalogue";
import { scopeId, useTab } from "../app/store";
import { catalogueOf, type NodeSchema, scopeOf } from "../document";
import { EmptyState } from "../theme";
import { NodeHelp } from "./NodeHelp";

export function HelpPanel() {
  const schemas = useSelectedSchemas();
  const [first, ...others] = schemas;
  if (!first) {
    return (
      <EmptyState icon={<CircleHelp />} title="What does it do?">
        Select a node to read what it does, what it takes and what comes out.
      </EmptyState>
    );
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it
    <section className="help-panel" aria-label="Help for what is selected" tabIndex={0}>
      <NodeHelp schema={first} />
      {others.map((schema) => (
        <NodeHelp key={schema.name} schema={schema} />
      ))}
    </section>
  );
}

/** The types of the selected nodes, each once, at most three. */
function useSelectedSchemas(): NodeSchema[] {
  const document = useTab((tab) => tab.document);
  const scope = useTab(scopeId);
  const selected = useTab((tab) => tab.selection.nodes);
  const catalogue = useCatalogue();
  return useMemo(() => {
    const all = catalogueOf(document, catalogue);
    const nodes = scopeOf(document, scope)?.nodes ?? {};
    const types = new Set([...selected].map((id) => nodes[id]?.type ?? ""));
    return [...types].flatMap((type) => all.get(type) ?? []).slice(0, 3);
  }, [document, scope, selected, catalogue]);
}
