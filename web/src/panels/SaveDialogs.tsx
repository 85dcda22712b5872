/** Saving under a name, settling two saves of the same workflow, and going back to an older version. */

import { useEffect, useRef, useState } from "react";
import type { WorkflowVersion } from "../api/answers";
import { ApiError, sentence } from "../api/errors";
import { type TabStore, tabsStore } from "../app/store";
import type { Workflow } from "../document";
import { attempt } from "../live/attempt";
import { type Conflict, closeDialog } from "../live/desk";
import { type Difference, differences } from "../live/differences";
import { client } from "../live/server";
import { copyName, openVersion, saveAs, settle, suggestedName } from "../live/stored";
import { Button, Dialog, Spinner } from "../theme";
import { bytes } from "./PictureDialog";
import { Ago } from "./parts";

export function SaveAsDialog({ tab: id }: { tab: string }) {
  const tab = tabOf(id);
  const [name, setName] = useState(() => (tab ? suggestedName(tab.getState()) : ""));
  const [refusal, setRefusal] = useState<string>();
  const [saving, setSaving] = useState(false);
  if (!tab) return null;
  const save = async () => {
    if (!name.trim()) return setRefusal("Give it a name.");
    setSaving(true);
    try {
      await saveAs(tab, name.trim());
      closeDialog();
    } catch (error) {
      const taken = error instanceof ApiError && error.conflict;
      setRefusal(taken ? `There is a workflow called ${name.trim()} already. Choose another name.` : sentence(error));
    } finally {
      setSaving(false);
    }
  };
  return (
    <Dialog
      title="Save as"
      description="Workflows are kept on the server, with their earlier versions."
      onClose={closeDialog}
      footer={
        <>
          <Button onClick={closeDialog}>Cancel</Button>
          <Button kind="primary" type="submit" form="save-as" busy={saving}>
            Save
          </Button>
        </>
      }
    >
      <form
        id="save-as"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <NameField name={name} refusal={refusal} onChange={setName} />
      </form>
    </Dialog>
  );
}

function NameField(props: { name: string; refusal: string | undefined; onChange(name: string): void }) {
  const field = useRef<HTMLInputElement>(null);
  // The dialog is there to be answered. Not by `autoFocus`: that comes before the dialog is open, and is lost.
  useEffect(() => field.current?.focus(), []);
  return (
    <label className="panel-field">
      <span>Name</span>
      <input
        type="text"
        className="input"
        ref={field}
        value={props.name}
        maxLength={120}
        aria-invalid={props.refusal !== undefined}
        aria-describedby={props.refusal === undefined ? undefined : "name-refusal"}
        onChange={(event) => props.onChange(event.target.value)}
        onFocus={(event) => event.target.select()}
      />
      {props.refusal && (
        <span id="name-refusal" role="alert" className="field-error">
          {props.refusal}
        </span>
      )}
    </label>
  );
}

/** Somebody else, or another window, saved the workflow since it was opened here. */
export function ConflictDialog({ conflict }: { conflict: Conflict }) {
  const { name, mine, theirs } = conflict;
  const [busy, setBusy] = useState(false);
  const decide = async (choice: "mine" | "theirs" | "copy") => {
    setBusy(true);
    closeDialog();
    await attempt("It could not be saved", async () => settle(conflict, choice, await freeName(name, choice)));
  };
  return (
    <Dialog
      title={`${name} was saved elsewhere`}
      description="Another window saved it since you opened it here. Nothing is lost: choose what to keep; the other stays among the versions."
      size="medium"
      onClose={closeDialog}
      footer={
        <>
          <Button disabled={busy} onClick={() => void decide("theirs")}>
            Take theirs
          </Button>
          <Button disabled={busy} onClick={() => void decide("mine")}>
            Keep mine
          </Button>
          <Button kind="primary" disabled={busy} onClick={() => void decide("copy")}>
            Save mine as a copy
          </Button>
        </>
      }
    >
      <div className="conflict">
        <Side title="Mine, in this window" workflow={mine} />
        <Side title="Theirs, on the server" workflow={theirs.workflow} />
      </div>
      <h3 className="column-heading">What differs in mine</h3>
      <Differences found={differences(theirs.workflow, mine)} />
    </Dialog>
  );
}

function Side({ title, workflow }: { title: string; workflow: Workflow }) {
  const nodes = Object.keys(workflow.nodes).length;
  return (
    <section className="conflict-side">
      <h3>{title}</h3>
      <p>{nodes === 1 ? "1 node" : `${nodes} nodes`}</p>
      <p>{workflow.description}</p>
    </section>
  );
}

function Differences({ found }: { found: Difference[] }) {
  if (found.length === 0) return <p className="column-note">Nothing: both are the same.</p>;
  return (
    <ul className="differences">
      {found.map((each) => (
        <li key={`${each.kind} ${each.what}`} className={`difference-${each.kind}`}>
          <strong>{each.what}</strong>{" "}
          {each.kind === "changed" && each.from !== undefined ? (
            <>
              <del>{each.from || "nothing"}</del> → <ins>{each.to || "nothing"}</ins>
            </>
          ) : (
            each.kind
          )}
        </li>
      ))}
    </ul>
  );
}

/** The versions of a stored workflow; an older one is opened for looking, and saving it brings it back. */
export function VersionsDialog({ name }: { name: string }) {
  const [versions, setVersions] = useState<WorkflowVersion[]>();
  const [failure, setFailure] = useState<string>();
  useEffect(() => {
    client.versions(name).then(setVersions, (error) => setFailure(sentence(error)));
  }, [name]);
  return (
    <Dialog title={`Versions of ${name}`} description="The last 50 saves are kept." onClose={closeDialog}>
      {failure && <p className="sweep-error">{failure}</p>}
      {!versions && !failure && <Spinner />}
      <ol className="versions">
        {versions?.map((each, index) => (
          <li key={each.version}>
            <div className="job-main">
              <h3 className="job-name">
                <Ago at={each.modified} />
              </h3>
              <p className="job-line">
                {index === 0 && "The newest · "}
                {bytes(each.size)}
              </p>
            </div>
            <Button
              size="small"
              onClick={() => {
                closeDialog();
                void openVersion(name, each.version, index === 0);
              }}
            >
              {index === 0 ? "Open" : "Restore"}
            </Button>
          </li>
        ))}
      </ol>
    </Dialog>
  );
}

function tabOf(id: string): TabStore | undefined {
  return tabsStore.getState().tabs.find((tab) => tab.getState().id === id);
}

async function freeName(name: string, choice: "mine" | "theirs" | "copy"): Promise<string> {
  if (choice !== "copy") return name;
  return copyName(name, new Set((await client.workflows()).map((each) => each.name)));
}
