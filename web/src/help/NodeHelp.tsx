/** All there is to know about a type of node: what it does, what goes in, what comes out. */

import type { InputSchema, NodeSchema, OutputSchema } from "../document";
import { Chip, Markdown, PortMark } from "../theme";
import { factsOf, linked } from "./facts";
import "./help.css";

export function NodeHelp({ schema }: { schema: NodeSchema }) {
  return (
    <article className="help" aria-label={`Help for ${schema.title}`}>
      <header>
        <h2>{schema.title}</h2>
        <p className="help-chips">
          <Chip>{schema.category}</Chip>
          {schema.package !== "nodes" && <Chip>from {schema.package}</Chip>}
          {schema.output && <Chip tone="accent">shows or saves</Chip>}
          {schema.experimental && <Chip tone="warning">experimental</Chip>}
        </p>
      </header>
      <Markdown text={linked(schema.help)} />
      <Ports title="Inputs" none="It takes nothing." ports={schema.inputs} />
      <Ports title="Outputs" none="Nothing comes out: it ends a graph." ports={schema.outputs} />
      <footer>
        Type <code>{schema.name}</code>, version {schema.version}.
        {schema.aliases.length > 0 && ` Also known as ${schema.aliases.join(", ")}.`}
      </footer>
    </article>
  );
}

interface PortsProps {
  title: string;
  none: string;
  ports: readonly (InputSchema | OutputSchema)[];
}

function Ports({ title, none, ports }: PortsProps) {
  return (
    <section>
      <h3>{title}</h3>
      {ports.length === 0 && <p className="help-muted">{none}</p>}
      <dl className="help-ports">
        {ports.map((port) => (
          <div key={port.name}>
            <dt>
              <PortMark type={port.type} />
              <span>{port.name.replaceAll("_", " ")}</span>
              <span className="help-type">
                {port.type.replaceAll(",", " or ")}
                {port.is_list && " list"}
              </span>
            </dt>
            {"widget" in port && <Facts of={factsOf(port)} />}
            {port.help && (
              <dd>
                <Markdown text={linked(port.help)} />
              </dd>
            )}
          </div>
        ))}
      </dl>
    </section>
  );
}

function Facts({ of }: { of: readonly string[] }) {
  if (of.length === 0) return null;
  return <dd className="help-muted">{of.join("; ")}</dd>;
}
