/** Connecting without a mouse: every port of a node, and for each what it may be connected to. */

import { useState } from "react";
import { boardStore } from "../canvas/board";
import { candidates, connectTo } from "../canvas/connecting";
import { titleOf } from "../canvas/GraphNode";
import { Button, Dialog, EmptyState, PortMark } from "../theme";
import { here } from "./actions";
import { type LooseEnd, uiStore } from "./ui";

export function ConnectDialog({ node }: { node: string }) {
  const [ends] = useState(() => endsOf(node));
  const [at, setAt] = useState(0);
  const { scene } = boardStore.getState();
  const close = () => uiStore.setState({ dialog: null });
  const item = scene.nodes.get(node);
  const end = ends[at];
  const all = end ? candidates(scene, end.loose) : [];
  return (
    <Dialog
      title={`Connect ${item ? titleOf(item) : node}`}
      description="Choose a port of this node, then where its wire goes."
      onClose={close}
    >
      <div className="connect">
        <div role="radiogroup" aria-label="Ports" className="connect-ports">
          {ends.map((each, index) => (
            <label key={each.name} className="connect-port">
              <input type="radio" name="port" checked={index === at} onChange={() => setAt(index)} />
              <PortMark type={each.loose.type} filled={index === at} />
              <span>{each.name}</span>
            </label>
          ))}
        </div>
        <div className="connect-targets">
          {all.map((candidate) => {
            const [, , port = ""] = candidate.key.split("\n");
            return (
              <Button
                key={candidate.key}
                kind="quiet"
                onClick={() => {
                  if (end) connectTo(end.loose, candidate.key);
                  close();
                }}
              >
                {titleOf(candidate.item)} · {port.replaceAll("_", " ")}
              </Button>
            );
          })}
          {end?.linked && (
            <Button
              kind="quiet"
              onClick={() => {
                const { tab, inside } = here();
                if (end.loose.kind === "input") tab.dispatch({ type: "disconnect", ...inside, to: end.loose.end });
                close();
              }}
            >
              Disconnect
            </Button>
          )}
          {all.length === 0 && (
            <EmptyState title="Nothing here fits">Add a node that does, then connect it.</EmptyState>
          )}
        </div>
      </div>
    </Dialog>
  );
}

interface End {
  name: string;
  loose: LooseEnd;
  linked: boolean;
}

function endsOf(node: string): End[] {
  const item = boardStore.getState().scene.nodes.get(node);
  if (!item) return [];
  const outputs = item.plan.outputs.map((port): End => {
    const loose: LooseEnd = { kind: "output", end: { node, output: port.id }, type: port.schema.type };
    return { name: `${port.id} (output)`, loose, linked: false };
  });
  const inputs = item.plan.inputs.map((port): End => {
    const input = port.schema.name;
    const end = port.index === undefined ? { node, input: port.id } : { node, input, index: port.index };
    return { name: port.id, loose: { kind: "input", end, type: port.schema.type }, linked: port.linked };
  });
  return [...outputs, ...inputs];
}
