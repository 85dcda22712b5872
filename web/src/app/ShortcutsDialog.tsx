/** Every key, and what the mouse does. */

import { Dialog, Keys } from "../theme";
import { type Command, keysInWords, useCommands } from "./commands";
import { uiStore } from "./ui";

const TITLES: Readonly<Record<string, string>> = {
  run: "Run",
  edit: "Edit",
  add: "Add",
  arrange: "Arrange",
  view: "View",
  file: "Files and tabs",
};

const MOUSE: readonly [string, string][] = [
  ["Drag on empty canvas, or with the middle button", "Move the canvas"],
  ["Wheel", "Zoom"],
  ["Ctrl+drag", "Select with a box"],
  ["Shift+click", "Add to the selection"],
  ["Double-click on empty canvas", "Add a node"],
  ["Drag from a port", "Draw a wire; let go over nothing to add what fits"],
  ["Drag off a connected input", "Take the wire off and lead it elsewhere"],
  ["Double-click or Alt+click a wire", "Add a point; right-click the point to remove it"],
  ["Alt+drag (or Ctrl+Shift+drag) across wires", "Cut them"],
  ["Alt+drag a node", "Drag a copy"],
  ["Double-click a title", "Rename; of a subgraph: enter"],
  ["Right click", "Menu"],
];

export function ShortcutsDialog() {
  const commands = useCommands().filter((command) => command.keys?.length);
  const groups = Object.entries(TITLES).map(
    ([id, title]) => [title, commands.filter((command) => command.id.startsWith(`${id}.`))] as const,
  );
  return (
    <Dialog title="Keyboard and mouse" size="large" reading onClose={() => uiStore.setState({ dialog: null })}>
      <div className="shortcuts">
        {groups.map(([title, list]) => list.length > 0 && <Group key={title} title={title} commands={list} />)}
        <section>
          <h3>Mouse</h3>
          <dl>
            {MOUSE.map(([gesture, meaning]) => (
              <div key={gesture} className="shortcut shortcut-mouse">
                <dt>{gesture}</dt>
                <dd>{meaning}</dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
    </Dialog>
  );
}

function Group({ title, commands }: { title: string; commands: readonly Command[] }) {
  return (
    <section>
      <h3>{title}</h3>
      <dl>
        {commands.map((command) => (
          <div key={command.id} className="shortcut">
            <dt>{command.title}</dt>
            <dd>
              {command.keys?.map((keys) => (
                <Keys key={keys} of={keysInWords(keys)} />
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
