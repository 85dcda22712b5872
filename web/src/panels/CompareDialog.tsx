/** Two pictures against each other: under a slider, side by side, or as their difference. */

import { ArrowLeftRight, Columns2, Contrast, SplitSquareHorizontal } from "lucide-react";
import { type PointerEvent, useRef, useState } from "react";
import type { FileRef } from "../api/answers";
import { closeDialog } from "../live/desk";
import { client } from "../live/server";
import { Button, type Choice, Dialog, Segmented } from "../theme";
import { Picture } from "./parts";

type Way = "slider" | "beside" | "difference";

const WAYS: Choice<Way>[] = [
  { value: "slider", label: "Slider", icon: <SplitSquareHorizontal /> },
  { value: "beside", label: "Side by side", icon: <Columns2 /> },
  { value: "difference", label: "Difference", icon: <Contrast /> },
];

export function CompareDialog({ left, right }: { left: FileRef; right: FileRef }) {
  const [pair, setPair] = useState<readonly [FileRef, FileRef]>([left, right]);
  const [way, setWay] = useState<Way>("slider");
  const swap = () => setPair(([one, other]) => [other, one]);
  const [one, other] = pair;
  return (
    <Dialog title="Compare" size="full" flush onClose={closeDialog}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the key works wherever the focus is in the dialog */}
      <div className="compare" onKeyDown={(event) => event.key === "x" && swap()}>
        <div className="compare-tools">
          <Segmented label="How to compare" value={way} choices={WAYS} onChange={(value) => setWay(value)} />
          <Button icon={<ArrowLeftRight />} onClick={swap}>
            Swap
          </Button>
          {way === "difference" && <p>Black where both are the same; differences are shown four times as strong.</p>}
        </div>
        {way === "slider" && <Slider left={one} right={other} />}
        {way === "beside" && <Beside left={one} right={other} />}
        {way === "difference" && <Difference left={one} right={other} />}
      </div>
    </Dialog>
  );
}

/** The left picture up to the line, the right one beyond. */
function Slider({ left, right }: { left: FileRef; right: FileRef }) {
  const [share, setShare] = useState(50);
  const stage = useRef<HTMLDivElement>(null);
  const follow = (event: PointerEvent) => {
    if (event.buttons !== 1 && event.type !== "pointerdown") return;
    const box = stage.current?.getBoundingClientRect();
    if (box) setShare(Math.min(100, Math.max(0, ((event.clientX - box.left) / box.width) * 100)));
  };
  return (
    <div className="compare-stage">
      <div
        ref={stage}
        className="slider"
        style={shapeOf(left)}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          follow(event);
        }}
        onPointerMove={follow}
      >
        <Picture file={right} alt={`Right: ${right.filename}`} />
        <div className="slider-left" style={{ clipPath: `inset(0 ${100 - share}% 0 0)` }}>
          <Picture file={left} alt={`Left: ${left.filename}`} />
        </div>
        <div className="slider-line" style={{ left: `${share}%` }} />
        <input
          type="range"
          className="slider-input"
          aria-label="How much of the left picture is shown"
          min={0}
          max={100}
          step={1}
          value={Math.round(share)}
          aria-valuetext={`${Math.round(share)} % left`}
          onChange={(event) => setShare(Number(event.target.value))}
        />
      </div>
      <Names left={left} right={right} />
    </div>
  );
}

function Beside({ left, right }: { left: FileRef; right: FileRef }) {
  return (
    <div className="compare-stage">
      <div className="beside">
        <Picture file={left} alt={`Left: ${left.filename}`} />
        <Picture file={right} alt={`Right: ${right.filename}`} />
      </div>
      <Names left={left} right={right} />
    </div>
  );
}

function Difference({ left, right }: { left: FileRef; right: FileRef }) {
  return (
    <div className="compare-stage">
      <div className="slider difference" style={shapeOf(left)}>
        <img src={client.fileUrl(left)} alt={`Difference of ${left.filename} and ${right.filename}`} />
        <img src={client.fileUrl(right)} alt="" />
      </div>
      <Names left={left} right={right} />
    </div>
  );
}

function Names({ left, right }: { left: FileRef; right: FileRef }) {
  return (
    <p className="compare-names">
      <span>{left.filename}</span>
      <span>{right.filename}</span>
    </p>
  );
}

/** The stage has the left picture's shape, and is as large as fits. */
function shapeOf(file: FileRef) {
  const width = file.width ?? 1;
  const height = file.height ?? 1;
  return { aspectRatio: `${width} / ${height}`, width: `min(100%, calc((100dvh - 190px) * ${width / height}))` };
}
