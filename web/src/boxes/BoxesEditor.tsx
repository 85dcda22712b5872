/** Say what goes where: draw boxes on the picture's place and label them. Loaded only when it is opened. */

import { Redo2, Trash2, Undo2 } from "lucide-react";
import { type KeyboardEvent, useRef, useState } from "react";
import { Trace, useTrace } from "../drawing/Trace";
import { Button, Dialog, IconButton } from "../theme";
import { BoxList } from "./BoxList";
import { BoxStage } from "./BoxStage";
import { freshBox, type LabelledBox, moved, type Point, type Rect, withFigure } from "./geometry";
import { begin, redo, step, undo } from "./history";
import "./boxes.css";

interface BoxesEditorProps {
  title: string;
  boxes: readonly LabelledBox[];
  most: number;
  offered: readonly string[];
  /** Width by height of the picture. */
  ratio: number;
  onSave(boxes: readonly LabelledBox[]): void;
  onClose(): void;
}

const ARROWS: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

export default function BoxesEditor({ title, boxes, most, offered, ratio, onSave, onClose }: BoxesEditorProps) {
  const [history, setHistory] = useState(() => begin(boxes));
  const [chosen, setChosen] = useState(-1);
  const [leaving, setLeaving] = useState(false);
  const [strict, setStrict] = useState(false);
  const [said, setSaid] = useState("");
  const body = useRef<HTMLDivElement>(null);
  const trace = useTrace();
  const now = history.now;
  const put = (next: readonly LabelledBox[], deed = "") => setHistory((before) => step(before, next, deed));
  const change = (index: number, box: LabelledBox, deed = "") =>
    put(
      now.map((each, place) => (place === index ? box : each)),
      deed,
    );
  const focusLabel = (index: number) =>
    // Once the list has its row.
    requestAnimationFrame(() => body.current?.querySelector<HTMLElement>(`[data-box-label="${index}"]`)?.focus());
  const add = (box: Rect) => {
    if (now.length >= most) return;
    put([...now, { ...box, label: "" }]);
    setChosen(now.length);
    focusLabel(now.length);
  };
  const remove = (index: number) => {
    put(now.filter((_, place) => place !== index));
    setChosen(-1);
    setSaid(`Box ${index + 1} is deleted. ${now.length - 1} left.`);
  };
  const removeAll = () => {
    put([]);
    setChosen(-1);
  };
  const back = (way: typeof undo) => {
    setHistory((before) => way(before));
    setChosen(-1);
  };
  const nudge = (by: Point, event: KeyboardEvent) => {
    const box = now[chosen];
    if (!box) return;
    const far = event.shiftKey ? 0.05 : 0.01;
    const grown = withFigure(withFigure(box, "width", box.width + by.x * far), "height", box.height + by.y * far);
    const next = event.altKey ? grown : moved(box, { x: by.x * far, y: by.y * far });
    change(chosen, next, `${event.altKey ? "size" : "move"} ${chosen}`);
  };
  const onBoxKey = (event: KeyboardEvent) => {
    const by = ARROWS[event.key];
    if (by) nudge(by, event);
    else if (event.key === "Delete" || event.key === "Backspace") remove(chosen);
    else if (event.key === "Enter") focusLabel(chosen);
    else return;
    event.preventDefault();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (!(event.ctrlKey || event.metaKey)) return;
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return;
    event.preventDefault();
    back(key === "y" || event.shiftKey ? redo : undo);
  };
  const close = () => (history.before.length > 0 && !leaving ? setLeaving(true) : onClose());
  const save = () => {
    const nameless = now.findIndex((box) => box.label.trim() === "");
    if (nameless < 0) return onSave(now);
    setStrict(true);
    setChosen(nameless);
    setSaid(`Say what is in box ${nameless + 1}.`);
    focusLabel(nameless);
  };

  const footer = leaving ? (
    <>
      <p className="boxes-say">Leave without the boxes you drew?</p>
      <Button onClick={() => setLeaving(false)}>Keep drawing</Button>
      <Button kind="danger" onClick={onClose}>
        Throw them away
      </Button>
    </>
  ) : (
    <>
      <p className="boxes-say" role="status">
        {said || (
          <>
            Drag to draw, move and size.{" "}
            <span className="boxes-keys">Arrow keys move the chosen box, with Alt they size it.</span>
          </>
        )}
      </p>
      <Button onClick={close}>Cancel</Button>
      <Button kind="primary" onClick={save}>
        Use these boxes
      </Button>
    </>
  );
  return (
    <Dialog title={title} size="full" flush onClose={close} footer={footer} onKeyDown={onKeyDown}>
      <div ref={body} className="boxes">
        <div className="boxes-tools" role="toolbar" aria-label="Box tools">
          <IconButton label="Undo" shortcut="Ctrl+Z" disabled={history.before.length === 0} onClick={() => back(undo)}>
            <Undo2 />
          </IconButton>
          <IconButton label="Redo" shortcut="Ctrl+Y" disabled={history.after.length === 0} onClick={() => back(redo)}>
            <Redo2 />
          </IconButton>
          <IconButton label="Delete all boxes" disabled={now.length === 0} onClick={removeAll}>
            <Trash2 />
          </IconButton>
          <Trace trace={trace} />
        </div>
        <BoxStage
          boxes={now}
          chosen={chosen}
          ratio={ratio}
          full={now.length >= most}
          onChoose={setChosen}
          onDrawn={add}
          onChange={change}
          onKeyDown={onBoxKey}
        >
          {trace.url && <img className="boxes-trace" src={trace.url} alt="" style={{ opacity: trace.strength }} />}
        </BoxStage>
        <BoxList
          boxes={now}
          chosen={chosen}
          most={most}
          offered={offered}
          strict={strict}
          onChoose={setChosen}
          onChange={change}
          onRemove={remove}
          onAdd={() => add(freshBox(now))}
        />
      </div>
    </Dialog>
  );
}
