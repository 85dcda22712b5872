/** One port on a node's edge, with its name. Pressing it draws a wire; hovering it tells its type. */

import { memo } from "react";
import type { InputPort, OutputPort } from "../document";
import { classes, PortMark, portLook } from "../theme";
import { drawFromInput, drawFromOutput, inputEnd, portKey, usePortLight } from "./connecting";
import type { SceneNode } from "./scene";
import { useShape } from "./shapes";

interface InputProps {
  node: string;
  port: InputPort;
  /** Ports of widgets have no name of their own and hide until they are needed. */
  bare?: boolean;
  /** The name under which the subgraph around shows it. */
  promoted?: string | undefined;
  troubled?: boolean;
}

export const InputDot = memo(function InputDot({ node, port, bare = false, promoted, troubled = false }: InputProps) {
  const light = usePortLight(portKey("in", node, port.id));
  const { schema } = port;
  const name = port.index === undefined ? schema.name : `${schema.name} ${port.index + 1}`;
  return (
    <div
      className={classes("port port-in", `port-${light}`, bare && "port-bare", troubled && "port-troubled")}
      style={{ top: port.y }}
    >
      <span
        className="port-grip nodrag nopan"
        data-port={portKey("in", node, port.id)}
        data-letter={portLook(schema.type).letter}
        title={`${name}: ${schema.type}${schema.help ? `\n${schema.help}` : ""}`}
        onPointerDown={(event) => {
          if (event.button !== 0 || event.altKey) return;
          event.stopPropagation();
          drawFromInput(event.nativeEvent, inputEnd(node, port.id), `${node}.${port.id}`);
        }}
      >
        <PortMark type={schema.type} filled={port.linked} />
      </span>
      {!bare && (
        <span className={classes("port-name", !schema.required && "port-optional")}>
          {name.replaceAll("_", " ")}
          {promoted !== undefined && (
            <span className="port-promoted" title={`Shown on the subgraph as “${promoted}”`} />
          )}
        </span>
      )}
    </div>
  );
});

export const OutputDot = memo(function OutputDot({
  item,
  port,
  promoted,
}: {
  item: SceneNode;
  port: OutputPort;
  promoted?: string | undefined;
}) {
  const node = item.id;
  const shape = useShape(item, port.id);
  const light = usePortLight(portKey("out", node, port.id));
  const { schema } = port;
  const known = shape ? ` ${shape}` : "";
  return (
    <div className={classes("port port-out", `port-${light}`)} style={{ top: port.y }}>
      <span className="port-name">
        {promoted !== undefined && <span className="port-promoted" title={`Shown on the subgraph as “${promoted}”`} />}
        {schema.name.replaceAll("_", " ")}
      </span>
      <span
        className="port-grip nodrag nopan"
        data-port={portKey("out", node, port.id)}
        data-letter={portLook(schema.type).letter}
        title={`${schema.name}: ${schema.type}${known}${schema.help ? `\n${schema.help}` : ""}`}
        onPointerDown={(event) => {
          if (event.button !== 0 || event.altKey) return;
          event.stopPropagation();
          drawFromOutput(event.nativeEvent, node, port.id);
        }}
      >
        <PortMark type={schema.type} />
      </span>
    </div>
  );
});
