/** The form alone, at its own address: no rails, no canvas. This is what a phone shows. */

import { CircleAlert, Moon, Sun, Waypoints } from "lucide-react";
import { useEffect, useState } from "react";
import { ApiError, sentence } from "../api/errors";
import { tabsStore } from "../app/store";
import { client } from "../live/server";
import { Button, EmptyState, IconButton, Spinner, useTheme } from "../theme";
import { FormView } from "./FormView";

/** @param name of a stored workflow, or of a template when no workflow bears it. */
export function FormPage({ name }: { name: string }) {
  const [state, setState] = useState<"opening" | "ready" | { error: string }>("opening");
  const [tries, setTries] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: opened again with every try
  useEffect(() => {
    let here = true;
    setState("opening");
    openNamed(name).then(
      () => here && setState("ready"),
      (error: unknown) => here && setState({ error: sentence(error) }),
    );
    return () => {
      here = false;
    };
  }, [name, tries]);
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

/** Bring the workflow into the tab on show. */
async function openNamed(name: string): Promise<void> {
  const { tabs, open, activate } = tabsStore.getState();
  const known = tabs.find((tab) => tab.getState().saved?.name === name);
  if (known) return activate(known.getState().id);
  try {
    const { version, workflow } = await client.workflow(name);
    open(workflow, { saved: { name, version } });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    open(await client.template(name));
  }
}
