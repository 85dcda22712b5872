/** Every widget and part on one page, to look at while working on them: `npm run dev`, then /src/testing/gallery.html. */

import { Image, Play, Trash2 } from "lucide-react";
import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import type { InputSchema, JsonValue, Problem, SeedMode } from "../document";
import {
  Button,
  Chip,
  Dialog,
  EmptyState,
  IconButton,
  Keys,
  MenuButton,
  PortMark,
  Progress,
  SearchInput,
  Segmented,
  startTheme,
  Toasts,
  useTheme,
} from "../theme";
import { type FileServer, Files, FilesContext, Widget } from "../widgets";
import * as schemas from "./schemas";
import "../theme/index.css";
import "./gallery.css";

/** A server in memory: a folder of models, and one picture. */
const server: FileServer = {
  folder: async (folder) =>
    folder === "input"
      ? ["apple.png", "portraits/anna.png"]
      : Array.from({ length: 1000 }, (_, number) => `sdxl/model-${String(number).padStart(4, "0")}.safetensors`),
  upload: async (_file, name) => name,
  uploadMask: async (_mask, original) => `masked-${original}`,
  classes: async () => ["cat", "dog", "red apple"],
  pictureUrl: () => picture(),
};

const WIDGETS: [InputSchema, JsonValue | undefined][] = [
  [schemas.CHECKPOINT, "sdxl/model-0003.safetensors"],
  [schemas.PROMPT, "a red apple on a wooden table, (soft light:1.1), photograph"],
  [schemas.SEED, 18446744073709551615n],
  [schemas.STEPS, undefined],
  [schemas.CFG, 7.5],
  [schemas.DENOISE, 0.65],
  [schemas.SAMPLER, "dpmpp_2m"],
  [schemas.TOGGLE, true],
  [schemas.PREFIX, "darkroom"],
  [schemas.COLOUR, "#ff8b3d"],
];
const WRONG: [InputSchema, JsonValue, Problem][] = [
  [schemas.WIDTH, 513, { code: "value_out_of_range", message: "513 is not a multiple of 8.", fix: "use 512 or 520" }],
  [
    schemas.SAMPLER,
    "eular",
    { code: "not_in_options", message: "'eular' is not one of the choices.", fix: "use 'euler' or 'heun'" },
  ],
  [schemas.PREFIX, "", { code: "missing_input", message: "It is needed, and it is not given.", fix: "give a value" }],
];
const PORTS = [
  "IMAGE",
  "MASK",
  "LATENT",
  "MODEL",
  "CLIP",
  "VAE",
  "CONDITIONING",
  "SIGMAS",
  "INT",
  "STRING",
  "NOISE",
  "*",
];

function One({
  schema,
  start,
  compact,
  problem,
}: {
  schema: InputSchema;
  start: JsonValue | undefined;
  compact: boolean;
  problem?: Problem;
}) {
  const [value, setValue] = useState(start);
  const [mode, setMode] = useState<SeedMode>("random");
  const onChange = (next: JsonValue) => setValue(next);
  const wrong = problem && value === start ? { problem } : {};
  const height = compact
    ? ({ multiline: 88, file: schema.folder === "input" ? 200 : 28 }[schema.widget as "file"] ?? 28)
    : undefined;
  return (
    <div style={{ height }}>
      <Widget
        schema={schema}
        value={value}
        compact={compact}
        seedMode={mode}
        onSeedMode={setMode}
        onChange={onChange}
        {...wrong}
      />
    </div>
  );
}

function Column({ compact }: { compact: boolean }) {
  return (
    <section className={compact ? "gallery-node" : "gallery-form"}>
      <h2>{compact ? "On a node" : "In a form"}</h2>
      {WIDGETS.map(([schema, value]) => (
        <One key={schema.name} schema={schema} start={value} compact={compact} />
      ))}
      {WRONG.map(([schema, value, problem]) => (
        <One key={problem.message} schema={schema} start={value} compact={compact} problem={problem} />
      ))}
      <One schema={schemas.IMAGE} start="apple.png" compact={compact} />
      <One schema={schemas.IMAGE} start={undefined} compact={compact} />
    </section>
  );
}

function Parts() {
  const [side, setSide] = useState("dark");
  const [open, setOpen] = useState(false);
  const choose = useTheme((state) => state.choose);
  return (
    <section className="gallery-parts">
      <h2>Parts</h2>
      <div>
        <Segmented
          label="Theme"
          value={side}
          choices={[
            { value: "dark", label: "Dark" },
            { value: "light", label: "Light" },
          ]}
          onChange={(now) => {
            setSide(now);
            choose(now as "dark" | "light");
          }}
        />
      </div>
      <div className="gallery-row">
        <Button kind="primary" icon={<Play />}>
          Run
        </Button>
        <Button>Plain</Button>
        <Button kind="quiet">Quiet</Button>
        <Button kind="danger">Delete</Button>
        <Button disabled>Disabled</Button>
        <Button busy>Busy</Button>
        <IconButton label="Delete" shortcut="Del">
          <Trash2 />
        </IconButton>
        <Button onClick={() => setOpen(true)}>Dialog</Button>
        <MenuButton
          label="Menu"
          entries={[
            { heading: "Node" },
            { label: "Bypass", shortcut: "Ctrl+B", onSelect: () => {} },
            { label: "Pinned", checked: true, onSelect: () => {} },
            "separator",
            { label: "Delete", danger: true, icon: <Trash2 />, onSelect: () => {} },
          ]}
        />
      </div>
      <div className="gallery-row">
        <Chip>12 nodes</Chip>
        <Chip tone="accent">running</Chip>
        <Chip tone="success">done</Chip>
        <Chip tone="warning">cached</Chip>
        <Chip tone="danger">failed</Chip>
        <Keys of="Ctrl+Enter" />
      </div>
      <Progress label="Steps" value={0.4} />
      <Progress label="Waiting" value={null} />
      <SearchInput label="Search nodes" />
      <div className="gallery-ports">
        {PORTS.map((type) => (
          <span key={type}>
            <PortMark type={type} /> {type}
          </span>
        ))}
      </div>
      <EmptyState icon={<Image />} title="No pictures yet" actions={<Button kind="primary">Make the first one</Button>}>
        Pictures you make appear here, with everything that is needed to make them again.
      </EmptyState>
      <Toasts
        messages={[
          { id: 1, kind: "success", text: "Saved as portrait." },
          {
            id: 2,
            kind: "error",
            text: "The graph cannot run yet. 513 is not a multiple of 8.",
            action: { title: "Show", run: () => {} },
          },
        ]}
        onDismiss={() => {}}
      />
      {open && (
        <Dialog
          title="Delete portrait?"
          description="Its versions go with it."
          onClose={() => setOpen(false)}
          footer={
            <>
              <Button onClick={() => setOpen(false)}>Keep it</Button>
              <Button kind="danger">Delete</Button>
            </>
          }
        >
          It was saved 12 times, last a minute ago.
        </Dialog>
      )}
    </section>
  );
}

/** A picture of an apple, drawn here so that no file is needed; one corner of it is transparent. */
function picture(): string {
  const canvas = document.createElement("canvas");
  canvas.width = 640;
  canvas.height = 480;
  const context = canvas.getContext("2d");
  if (!context) return "";
  const sky = context.createLinearGradient(0, 0, 0, 480);
  sky.addColorStop(0, "#e8c9a0");
  sky.addColorStop(1, "#7a5a44");
  context.fillStyle = sky;
  context.fillRect(0, 0, 640, 480);
  context.fillStyle = "#c4302b";
  context.beginPath();
  context.arc(320, 260, 120, 0, 7);
  context.fill();
  context.clearRect(0, 0, 120, 90);
  return canvas.toDataURL();
}

startTheme();
createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <FilesContext value={new Files(server)}>
      <main className="gallery">
        <Column compact />
        <Column compact={false} />
        <Parts />
      </main>
    </FilesContext>
  </StrictMode>,
);
