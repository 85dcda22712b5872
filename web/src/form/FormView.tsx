/** A workflow as a simple page: what it asks for, a big button, what comes out. For the tab on show. */

import { LayoutTemplate, Link, PencilLine } from "lucide-react";
import { useMemo, useState } from "react";
import { useCatalogue } from "../app/catalogue";
import { notify } from "../app/notices";
import { useTab } from "../app/store";
import { Button, EmptyState, Markdown } from "../theme";
import { FormEditor } from "./FormEditor";
import { FormFields } from "./FormFields";
import { FormResults } from "./FormResults";
import { FormRun } from "./FormRun";
import { fieldsOf, formOf, pictureAsked } from "./model";
import { formHash } from "./route";
import "./form.css";

/** @param editable false for those who only fill it in. */
export function FormView({ editable = true }: { editable?: boolean }) {
  const document = useTab((tab) => tab.document);
  const saved = useTab((tab) => tab.saved);
  const catalogue = useCatalogue();
  const [editing, setEditing] = useState(false);
  const form = useMemo(() => formOf(document, catalogue), [document, catalogue]);
  const fields = useMemo(() => fieldsOf(document, form, catalogue), [document, form, catalogue]);
  const title = form.title || saved?.name || document.name || "Untitled";
  const help = form.help || document.description || "";
  if (Object.keys(document.nodes).length === 0) {
    return (
      <div className="form-view">
        <EmptyState icon={<LayoutTemplate />} title="There is no workflow here yet">
          Open a template, or build a graph. Its form shows only what people need to fill in.
        </EmptyState>
      </div>
    );
  }
  return (
    <main className="form-view" aria-label={title}>
      <header className="form-head">
        <div>
          <h1>{title}</h1>
          {help && <Markdown text={help} className="form-help" />}
        </div>
        {editable && (
          <span className="form-tools">
            {saved && (
              <Button kind="quiet" icon={<Link />} onClick={() => void share(saved.name)}>
                Copy link
              </Button>
            )}
            <Button icon={<PencilLine />} aria-pressed={editing} onClick={() => setEditing(!editing)}>
              {editing ? "Done" : "Edit form"}
            </Button>
          </span>
        )}
      </header>
      <div className={editing ? "form-columns form-columns-editing" : "form-columns"}>
        {editing && <FormEditor form={form} />}
        <form className="form-ask" aria-label="Fill in" onSubmit={(event) => event.preventDefault()}>
          {fields.length > 0 ? (
            <FormFields fields={fields} />
          ) : (
            <p className="form-note">
              {editable ? "Nothing is asked for. Choose inputs with Edit form." : "Nothing needs to be filled in."}
            </p>
          )}
          <FormRun fields={fields} />
        </form>
        <FormResults outputs={form.outputs} asked={pictureAsked(fields)} />
      </div>
    </main>
  );
}

async function share(name: string): Promise<void> {
  const address = new URL(formHash(name), location.href).href;
  try {
    await navigator.clipboard.writeText(address);
    notify({ kind: "success", text: "The address of this form is copied." });
  } catch {
    // Only pages from https or from this machine may write to the clipboard.
    notify({ kind: "info", text: `This form is at ${address}` });
  }
}
