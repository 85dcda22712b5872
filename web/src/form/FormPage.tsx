/** The form alone, at its own address: no rails, no canvas. This is what a phone shows. */

import { CircleAlert, Moon, Sun, Waypoints } from "lucide-react";
import { useEffect, useState } from "react";
import { useStore } from "zustand";
import { ApiError, sentence } from "../api/errors";
import { type TabStore, tabsStore } from "../app/store";
import { restoreStore } from "../live/restoring";
import { client } from "../live/server";
import { Button, EmptyState, IconButton, Spinner, useTheme } from "../theme";
import { FormView } from "./FormView";

/** @param name of a stored workflow, or of a template when no workflow bears it. */
export function FormPage({ name }: { name: string }) {
  const [state, setState] = useState<"opening" | "ready" | { error: string }>("opening");
  const [tries, setTries] = useState(0);
  const restored = useStore(restoreStore, (restore) => restore.done);
  // biome-ignore lint/correctness/useExhaustiveDependencies: opened again with every try
  useEffect(() => {
    if (!restored) return;
    let here = true;
    setState("opening");
    openNamed(name).then(
      () => here && setState("ready"),
      (error: unknown) => here && setState({ error: sentence(error) }),
    );
    return () => {
      here = false;
    };
  }, [name, tries, restored]);
  return (
    <div className="form-page">
      <div className="form-page-bar">
        <Button
          kind="quiet"
          icon={<Waypoints />}
          onClick={() => {
            location.hash = "";
          }}
        >
          Open the graph
        </Button>
        <ThemeButton />
      </div>
      {state === "opening" && (
        <p className="form-page-wait" role="status">
          <Spinner /> Opening {name}
        </p>
      )}
      {state === "ready" && <FormView editable={false} />}
      {typeof state === "object" && (
        <EmptyState
          icon={<CircleAlert />}
          title={`${name} cannot be opened`}
          actions={<Button onClick={() => setTries(tries + 1)}>Try again</Button>}
        >
          {state.error}
        </EmptyState>
      )}
    </div>
  );
}

function ThemeButton() {
  const choose = useTheme((theme) => theme.choose);
  const light = document.documentElement.dataset.theme === "light";
  return (
    <IconButton label={light ? "Dark" : "Light"} size="large" onClick={() => choose(light ? "dark" : "light")}>
      {light ? <Moon /> : <Sun />}
    </IconButton>
  );
}

/** Bring the workflow into the tab on show: one that is open already, with what was filled in, or a new one. */
async function openNamed(name: string): Promise<void> {
  const stored = tabsStore.getState().tabs.find((tab) => tab.getState().saved?.name === name);
  if (stored) return show(stored);
  try {
    const { version, workflow } = await client.workflow(name);
    tabsStore.getState().open(workflow, { saved: { name, version } });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    await openTemplate(name);
  }
}

async function openTemplate(name: string): Promise<void> {
  const template = await client.template(name);
  const { tabs, open } = tabsStore.getState();
  // Every visit would open another copy of the same template.
  const before = tabs.find((tab) => !tab.getState().saved && tab.getState().document.name === template.name);
  if (before) show(before);
  else open(template);
}

function show(tab: TabStore): void {
  tabsStore.getState().activate(tab.getState().id);
}
