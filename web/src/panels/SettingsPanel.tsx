/** The user's choices, and how the server is. */

import { useEffect, useState } from "react";
import type { SystemReport } from "../api/answers";
import { notify } from "../app/notices";
import { attempt } from "../live/attempt";
import { client } from "../live/server";
import { changeSettings, type Settings, useSettings } from "../live/settings";
import { Button, type Choice, Segmented, type ThemeChoice, useTheme } from "../theme";
import { bytes } from "./PictureDialog";
import { PluginProblems } from "./PluginProblems";
import { Panel } from "./parts";

const THEMES: Choice<ThemeChoice>[] = [
  { value: "system", label: "System" },
  { value: "dark", label: "Dark" },
  { value: "light", label: "Light" },
];
const WIRES: Choice<Settings["wires"]>[] = [
  { value: "curved", label: "Curved" },
  { value: "straight", label: "Straight" },
  { value: "stepped", label: "Stepped" },
];

export function SettingsPanel() {
  const theme = useTheme((state) => state.choice);
  const choose = useTheme((state) => state.choose);
  const settings = useSettings((state) => state);
  return (
    <Panel>
      <section className="settings" aria-labelledby="settings-look">
        <h3 className="column-heading" id="settings-look">
          Look
        </h3>
        <div className="setting">
          <span>Theme</span>
          <Segmented label="Theme" value={theme} choices={THEMES} onChange={(value) => choose(value)} />
        </div>
        <div className="setting">
          <span>Wires</span>
          <Segmented
            label="Wires"
            value={settings.wires}
            choices={WIRES}
            onChange={(wires) => changeSettings({ wires })}
          />
        </div>
        <Switch label="Snap nodes to the grid" value={settings.snap} onChange={(snap) => changeSettings({ snap })} />
        <Switch label="Minimap" value={settings.minimap} onChange={(minimap) => changeSettings({ minimap })} />
      </section>
      <section className="settings" aria-labelledby="settings-runs">
        <h3 className="column-heading" id="settings-runs">
          Runs
        </h3>
        <Switch
          label="Show pictures while they develop"
          value={settings.previews}
          onChange={(previews) => changeSettings({ previews })}
        />
        <Switch
          label="Ask before anything is deleted for good"
          value={settings.confirm_delete}
          onChange={(confirm_delete) => changeSettings({ confirm_delete })}
        />
        <Switch
          label="Tell me when a run ends while this window is in the background"
          value={settings.notifications}
          onChange={(wanted) => void askForNotifications(wanted)}
        />
      </section>
      <Server />
    </Panel>
  );
}

function Switch({ label, value, onChange }: { label: string; value: boolean; onChange(value: boolean): void }) {
  return (
    <label className="setting">
      <span>{label}</span>
      <input type="checkbox" className="switch" checked={value} onChange={(event) => onChange(event.target.checked)} />
    </label>
  );
}

function Server() {
  const [report, setReport] = useState<SystemReport>();
  useEffect(() => {
    client.system().then(
      (found) => setReport(found),
      () => setReport(undefined),
    );
  }, []);
  const workers = report?.workers ?? [];
  return (
    <section className="settings" aria-labelledby="settings-server">
      <h3 className="column-heading" id="settings-server">
        Server
      </h3>
      <dl className="facts">
        {report && (
          <div className="fact">
            <dt>Darkroom</dt>
            <dd>{report.version}</dd>
          </div>
        )}
        {workers.map((worker) => (
          <Worker key={String(worker.device)} worker={worker} />
        ))}
      </dl>
      {report && workers.length === 0 && <p className="column-note">No worker is up at this moment.</p>}
      <PluginProblems />
      <div className="settings-actions">
        <Button onClick={() => void free({ unload_models: true }, "Models were unloaded.")}>Unload models</Button>
        <Button onClick={() => void free({ unload_models: true, free_memory: true }, "The memory was freed.")}>
          Free memory
        </Button>
      </div>
    </section>
  );
}

function Worker({ worker }: { worker: SystemReport["workers"][number] }) {
  const size = (name: string) => (typeof worker[name] === "number" ? bytes(worker[name]) : undefined);
  const facts = [
    ["Device", [worker.device, worker.label].filter(Boolean).join(", ")],
    ["Memory", size("free_bytes") && `${size("free_bytes")} free of ${size("total_bytes")}`],
    ["Models", size("models_bytes")],
    ["Results kept", size("cache_bytes")],
    ["torch", worker.torch === undefined ? undefined : String(worker.torch)],
  ] as const;
  return facts.map(([name, value]) =>
    value ? (
      <div key={name} className="fact">
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ) : null,
  );
}

async function free(what: Parameters<typeof client.free>[0], done: string): Promise<void> {
  const freed = await attempt("The memory could not be freed", async () => {
    await client.free(what);
    return true;
  });
  if (freed) notify({ kind: "success", text: done });
}

/** The browser asks the user once; a refusal can only be taken back in the browser's own settings. */
async function askForNotifications(wanted: boolean): Promise<void> {
  if (wanted && typeof Notification !== "undefined" && (await Notification.requestPermission()) !== "granted") {
    notify({ kind: "warning", text: "The browser does not allow messages of this page; its settings decide that." });
    return;
  }
  changeSettings({ notifications: wanted });
}
