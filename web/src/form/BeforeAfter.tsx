/** The picture that was given under the one that was made: a line between them is dragged, or moved with arrow keys. */

import { MoveHorizontal } from "lucide-react";
import { type CSSProperties, type PointerEvent, useRef, useState } from "react";

interface BeforeAfterProps {
  before: string;
  after: string;
  /** Says what came out. */
  alt: string;
  /** Width by height of what came out. */
  ratio: number;
}

export function BeforeAfter({ before, after, alt, ratio }: BeforeAfterProps) {
  const [share, setShare] = useState(50);
  const stage = useRef<HTMLDivElement>(null);
  const follow = (event: PointerEvent) => {
    if (event.type !== "pointerdown" && event.buttons !== 1) return;
    const box = stage.current?.getBoundingClientRect();
    if (box) setShare(Math.min(100, Math.max(0, ((event.clientX - box.left) / box.width) * 100)));
  };
  return (
    <div
      ref={stage}
      className="before-after"
      style={{ "--ratio": ratio, "--at": `${share}%` } as CSSProperties}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        follow(event);
      }}
      onPointerMove={follow}
    >
      <img src={after} alt={alt} draggable={false} />
      <div className="before-after-before">
        <img src={before} alt="" draggable={false} />
      </div>
      <span className="before-after-name before-after-left" aria-hidden="true">
        Before
      </span>
      <span className="before-after-name before-after-right" aria-hidden="true">
        After
      </span>
      <span className="before-after-line" aria-hidden="true">
        <span>
          <MoveHorizontal />
        </span>
      </span>
      <input
        type="range"
        className="before-after-input"
        aria-label="How much of the picture before is shown"
        aria-valuetext={`${Math.round(share)} % before`}
        min={0}
        max={100}
        value={Math.round(share)}
        onChange={(event) => setShare(Number(event.target.value))}
      />
    </div>
  );
}
