/** The fields of a form, as its users fill them in. */

import { schemasHere } from "../app/actions";
import { useProblems } from "../app/run";
import { activeTab, useTab } from "../app/store";
import { checkpointOf, type JsonValue, type SeedMode, settingOf, writeLiteral } from "../document";
import { Widget } from "../widgets";
import { type Field, isExample, isLinked } from "./model";

export function FormFields({ fields }: { fields: readonly Field[] }) {
  return (
    <div className="form-fields">
      {fields.map((field) => (
        <FormField key={field.entry} field={field} />
      ))}
    </div>
  );
}

function FormField({ field }: { field: Field }) {
  const { node, schema, entry } = field;
  const dispatch = useTab((tab) => tab.dispatch);
  const endDeed = useTab((tab) => tab.endDeed);
  const seeds = useTab((tab) => tab.document.layout?.nodes?.[node]?.seeds);
  const problem = useProblems().find((each) => each.node === node && each.input === schema.name);
  const onChange = (value: JsonValue, final = true) => {
    dispatch({ type: "setInput", node, input: schema.name, value: writeLiteral(value) }, `form ${entry}`);
    if (final) endDeed();
  };
  const masked = useTab((tab) => isLinked(tab.document, node, "mask"));
  const example = useTab((tab) => isExample(tab, field));
  const sibling = (name: string) => {
    const { document } = activeTab().getState();
    const found = document.nodes[node];
    return settingOf(found, schemasHere().get(found?.type ?? ""), name);
  };
  const checkpoint = () => checkpointOf(activeTab().getState().document, schemasHere(), node);
  const onSeedMode = (mode: SeedMode) =>
    dispatch({ type: "editBoxes", nodes: [node], patch: { seeds: { ...seeds, [schema.name]: mode } } });
  return (
    <Widget
      schema={schema}
      value={field.value}
      label={field.label}
      help={field.hint}
      nodeId={node}
      seedMode={field.seedMode}
      onSeedMode={onSeedMode}
      onChange={onChange}
      sibling={sibling}
      checkpoint={checkpoint}
      masked={masked}
      example={example}
      {...(problem && { problem })}
    />
  );
}
