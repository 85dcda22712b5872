/** What to do first: shown until the first run of this browser, and on an empty canvas. */

import { LayoutTemplate, Play, Search } from "lucide-react";
import { useEffect, useState } from "react";
import { newPlace } from "../canvas/board";
import { openPanel } from "../live/desk";
import { remember, remembered } from "../live/storage";
import { Button, Keys } from "../theme";
import { useCatalogueState } from "./catalogue";
import { execute, keysInWords } from "./commands";
import { runStore } from "./run";
import { useTab } from "./store";
import { uiStore } from "./ui";

const KEY = "ran once";

export function FirstHint() {
  const empty = useTab((tab) => Object.keys(tab.document.nodes).length === 0 && tab.path.length === 0);
  const bare = useTab((tab) => !tab.document.layout?.notes?.length && !tab.document.layout?.groups?.length);
  const ready = useCatalogueState((state) => state.state === "ready");
  const [ran, setRan] = useState(() => remembered<boolean>(KEY) ?? false);
  useEffect(() => {
    if (ran) return;
    return runStore.subscribe(({ jobs }) => {
      if (Object.keys(jobs).length === 0) return;
      remember(KEY, true);
      setRan(true);
    });
  }, [ran]);
  useEffect(() => {
    document.documentElement.toggleAttribute("data-first-run", !ran);
  }, [ran]);
  if (empty && bare) {
    return (
      <div className="hint hint-empty">
        <h2>An empty canvas</h2>
        <p>Double-click anywhere to add a node, or start from something that works.</p>
        <div className="hint-actions">
          <Button kind="primary" icon={<LayoutTemplate />} onClick={() => openPanel("templates")}>
            Open a template
          </Button>
          <Button icon={<Search />} disabled={!ready} onClick={() => uiStore.setState({ search: newPlace() })}>
            Add a node
          </Button>
        </div>
      </div>
    );
  }
  if (ran || empty) return null;
  return (
    <div className="hint" role="note">
      <p>
        This graph makes a picture from words. Change the prompt if you like, then press <strong>Run</strong>{" "}
        <Keys of={keysInWords("Mod+Enter")} />.
      </p>
      <Button kind="primary" icon={<Play />} onClick={() => execute("run.queue")}>
        Run it now
      </Button>
      <Button
        kind="quiet"
        onClick={() => {
          remember(KEY, true);
          setRan(true);
        }}
      >
        Not now
      </Button>
    </div>
  );
}
