/** Workflows on the server: open, save, rename, versions; files in and out; work that was never saved. */

import {
  ArrowDownToLine,
  ArrowUpFromLine,
  EllipsisVertical,
  FilePlus2,
  FolderOpen,
  History,
  Pencil,
  Save,
  Trash2,
} from "lucide-react";
import { type FormEvent, useEffect, useState } from "react";
import type { DraftSummary, WorkflowSummary } from "../api/answers";
import { activeTab, isDirty, tabsStore, tabTitle, useTab, useTabs } from "../app/store";
import { EMPTY_WORKFLOW } from "../document";
import { attempt } from "../live/attempt";
import { chooseFiles } from "../live/commands";
import { confirm, openDialog, openPanel } from "../live/desk";
import { ACCEPTED, downloadDocument, exportApi } from "../live/opening";
import { loadSaved, useSaved } from "../live/saved";
import { client } from "../live/server";
import { openStored, renamed, saveTab } from "../live/stored";
import { Button, EmptyState, IconButton, MenuButton, SearchInput } from "../theme";
import { Ago, Panel } from "./parts";

export function WorkflowsPanel() {
  const workflows = useSaved((saved) => saved.workflows);
  const drafts = useSaved((saved) => saved.drafts);
  const state = useSaved((saved) => saved.state);
  const open = useTabs((tabs) => tabs.tabs);
  const versions = open.map((tab) => tab.getState().saved?.version).join();
  const [search, setSearch] = useState("");
  // biome-ignore lint/correctness/useExhaustiveDependencies: a save of any tab changes the list
  useEffect(() => {
    void refresh();
  }, [versions]);
  const found = workflows.filter((each) => each.name.toLowerCase().includes(search.trim().toLowerCase()));
  const lost = drafts.filter((draft) => !open.some((tab) => tab.getState().id === draft.id));
  return (
    <Panel tools={<Tools />}>
      <Current />
      {workflows.length > 6 && (
        <SearchInput label="Search workflows" value={search} onChange={(event) => setSearch(event.target.value)} />
      )}
      {found.length > 0 && (
        <ul className="files">
          {found.map((each) => (
            <Entry key={each.name} workflow={each} />
          ))}
        </ul>
      )}
      {lost.length > 0 && <Lost drafts={lost} />}
      {workflows.length === 0 && state !== "new" && (
        <EmptyState
          icon={<FolderOpen />}
          title={state === "failed" ? "The workflows could not be read" : "No workflow is saved yet"}
          actions={
            state === "failed" ? (
              <Button onClick={() => void refresh()}>Try again</Button>
            ) : (
              <Button onClick={() => openPanel("templates")}>Begin with a template</Button>
            )
          }
        >
          Saved workflows stay on the server with their versions. You can also drop a JSON file here, or a picture made
          with Darkroom or ComfyUI, to get its graph.
        </EmptyState>
      )}
    </Panel>
  );
}

function Tools() {
  return (
    <>
      <Button size="small" icon={<FilePlus2 />} onClick={() => tabsStore.getState().open({ ...EMPTY_WORKFLOW })}>
        New
      </Button>
      <Button size="small" icon={<FolderOpen />} title={`Open files: ${ACCEPTED}`} onClick={chooseFiles}>
        Open file
      </Button>
    </>
  );
}

/** The tab on show. */
function Current() {
  const title = useTab(tabTitle);
  const dirty = useTab(isDirty);
  const saved = useTab((tab) => tab.saved);
  const entries = [
    { label: "Save as…", onSelect: () => openDialog({ dialog: "saveAs", tab: activeTab().getState().id }) },
    { label: "Download as JSON", icon: <ArrowDownToLine />, onSelect: () => downloadDocument() },
    { label: "Export in ComfyUI's API format", icon: <ArrowUpFromLine />, onSelect: () => void exportApi() },
    ...(saved
      ? [
          {
            label: "Versions…",
            icon: <History />,
            onSelect: () => openDialog({ dialog: "versions", name: saved.name }),
          },
        ]
      : []),
  ];
  return (
    <div className="current">
      <div className="job-main">
        <h3 className="job-name">{title}</h3>
        <p className="job-line">{saved ? (dirty ? "Edited since it was saved" : "Saved") : "Not saved yet"}</p>
      </div>
      <Button
        size="small"
        icon={<Save />}
        disabled={saved !== null && !dirty}
        onClick={() => void saveTab(activeTab())}
      >
        Save
      </Button>
      <MenuButton label="More for this workflow" iconOnly size="small" icon={<EllipsisVertical />} entries={entries} />
    </div>
  );
}

function Entry({ workflow: { name, modified } }: { workflow: WorkflowSummary }) {
  const [renaming, setRenaming] = useState(false);
  if (renaming) return <Renaming name={name} onDone={() => setRenaming(false)} />;
  return (
    <li className="file">
      <button type="button" className="file-open" onClick={() => void openStored(name)}>
        <span className="job-name">{name}</span>
        <span className="job-line">
          <Ago at={modified} />
        </span>
      </button>
      <MenuButton
        label={`More for ${name}`}
        iconOnly
        size="small"
        icon={<EllipsisVertical />}
        entries={[
          { label: "Rename", icon: <Pencil />, onSelect: () => setRenaming(true) },
          { label: "Versions…", icon: <History />, onSelect: () => openDialog({ dialog: "versions", name }) },
          "separator",
          { label: "Delete…", icon: <Trash2 />, danger: true, onSelect: () => askToDelete(name) },
        ]}
      />
    </li>
  );
}

function Renaming({ name, onDone }: { name: string; onDone(): void }) {
  const [to, setTo] = useState(name);
  const rename = async (event: FormEvent) => {
    event.preventDefault();
    const wished = to.trim();
    if (wished && wished !== name) {
      const entry = await attempt(`${name} could not be renamed`, () => client.renameWorkflow(name, wished));
      if (entry) renamed(name, entry.name, entry.version);
      await refresh();
    }
    onDone();
  };
  return (
    <li className="file">
      <form className="file-rename" onSubmit={(event) => void rename(event)}>
        <input
          type="text"
          className="input"
          aria-label={`New name of ${name}`}
          // biome-ignore lint/a11y/noAutofocus: the field takes the place of what was pressed
          autoFocus
          value={to}
          onFocus={(event) => event.target.select()}
          onChange={(event) => setTo(event.target.value)}
          onKeyDown={(event) => event.key === "Escape" && onDone()}
        />
        <Button size="small" type="submit">
          Rename
        </Button>
      </form>
    </li>
  );
}

/** Work of tabs that are not open here: of another browser, or of one that was closed by force. */
function Lost({ drafts }: { drafts: readonly DraftSummary[] }) {
  return (
    <section aria-label="Unsaved work">
      <h3 className="column-heading">
        Unsaved work <span>{drafts.length}</span>
      </h3>
      <ul className="files">
        {drafts.map((draft) => (
          <li key={draft.id} className="file">
            <button type="button" className="file-open" onClick={() => openDraft(draft)}>
              <span className="job-name">{draft.title || draft.base?.name || "Untitled"}</span>
              <span className="job-line">{draft.modified ? <Ago at={draft.modified} /> : "of another window"}</span>
            </button>
            <IconButton
              size="small"
              label={`Throw away ${draft.title || "this draft"}`}
              onClick={() =>
                void attempt("It could not be thrown away", () => client.deleteDraft(draft.id)).then(refresh)
              }
            >
              <Trash2 />
            </IconButton>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** As a new tab: the window that has it open may still write to the draft. */
function openDraft(draft: DraftSummary): void {
  tabsStore.getState().open(draft.workflow, { saved: draft.base ?? null });
}

function askToDelete(name: string): void {
  confirm(
    {
      title: `Delete ${name}?`,
      text: "It goes to the bin in the server's folder, with its versions.",
      action: "Delete",
    },
    () => void attempt(`${name} could not be deleted`, () => client.deleteWorkflow(name)).then(refresh),
  );
}

function refresh(): Promise<unknown> {
  return attempt("The workflows could not be read", loadSaved);
}
