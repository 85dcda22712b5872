/** Where a title on the canvas is written: Enter and leaving keep it, Escape does not. */

interface TitleTextProps {
  label: string;
  text: string;
  onText(text: string): void;
  onEnd(keep: boolean): void;
}

export function TitleText({ label, text, onText, onEnd }: TitleTextProps) {
  return (
    <input
      className="node-title-field nodrag"
      aria-label={label}
      value={text}
      ref={(field) => field?.focus()}
      onFocus={(event) => event.target.select()}
      onChange={(event) => onText(event.target.value)}
      onBlur={() => onEnd(true)}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Enter") onEnd(true);
        if (event.key === "Escape") onEnd(false);
      }}
    />
  );
}
