/** Make the page: which inputs, in which order, in which words, and whose results. */

import { useCatalogue } from "../app/catalogue";
import { useTab } from "../app/store";
import { catalogueOf, type Form } from "../document";
import { Button } from "../theme";
import { ChosenFields } from "./ChosenFields";
import { candidates, type Field, nodeName, resultNodes } from "./model";

/** @param form the page as it is now; a made-up one becomes the document's own with the first edit. */
export function FormEditor({ form }: { form: Form }) {
  const document = useTab((tab) => tab.document);
  const dispatch = useTab((tab) => tab.dispatch);
  const endDeed = useTab((tab) => tab.endDeed);
  const catalogue = useCatalogue();
  const own = document.form !== null && document.form !== undefined;
  const edit = (patch: Partial<Form>, deed?: string) =>
    dispatch({ type: "setForm", form: { ...form, ...patch } }, deed);
  const all = catalogueOf(document, catalogue);
  const groups = grouped(candidates(document, catalogue));
  const results = resultNodes(document, catalogue);
  const toggle = (list: "inputs" | "outputs", entry: string) =>
    edit({ [list]: form[list].includes(entry) ? form[list].filter((each) => each !== entry) : [...form[list], entry] });
  return (
    <div className="form-editor">
      <section>
        <h2>Heading</h2>
        <label className="form-edit-field">
          <span>Title</span>
          <input
            className="input"
            value={form.title ?? ""}
            placeholder={document.name ?? "Untitled"}
            onChange={(event) => edit({ title: event.target.value || null }, "form title")}
            onBlur={endDeed}
          />
        </label>
        <label className="form-edit-field">
          <span>Introduction, in Markdown</span>
          <textarea
            className="input"
            rows={3}
            value={form.help ?? ""}
            placeholder={document.description ?? "What this makes, and how"}
            onChange={(event) => edit({ help: event.target.value || null }, "form help")}
            onBlur={endDeed}
          />
        </label>
      </section>
      <ChosenFields form={form} onEdit={edit} onEnd={endDeed} />
      <section>
        <h2>Inputs to ask for</h2>
        {groups.map(([node, fields]) => (
          <fieldset key={node} className="form-choices">
            <legend>{nodeName(document, node, all)}</legend>
            {fields.map(({ entry, schema }) => (
              <Tick
                key={entry}
                label={schema.name.replaceAll("_", " ")}
                checked={form.inputs.includes(entry)}
                onChange={() => toggle("inputs", entry)}
              />
            ))}
          </fieldset>
        ))}
        {groups.length === 0 && <p className="form-note">No node here has an input that can be filled in.</p>}
      </section>
      <section>
        <h2>Results to show</h2>
        <fieldset className="form-choices">
          <legend className="visually-hidden">Results to show</legend>
          {results.map((node) => (
            <Tick
              key={node}
              label={nodeName(document, node, all)}
              checked={form.outputs.includes(node)}
              onChange={() => toggle("outputs", node)}
            />
          ))}
        </fieldset>
        {results.length === 0 && <p className="form-note">Add a node that shows or saves something.</p>}
      </section>
      {own && (
        <Button kind="quiet" onClick={() => dispatch({ type: "setForm", form: null })}>
          Start over with the suggested page
        </Button>
      )}
    </div>
  );
}

function Tick({ label, checked, onChange }: { label: string; checked: boolean; onChange(): void }) {
  return (
    <label className="form-tick">
      <input type="checkbox" checked={checked} onChange={onChange} />
      {label}
    </label>
  );
}

function grouped(fields: readonly Field[]): [string, Field[]][] {
  const groups = new Map<string, Field[]>();
  for (const field of fields) groups.set(field.node, [...(groups.get(field.node) ?? []), field]);
  return [...groups];
}
