/** A list of things to do: at a point (context menu) or under a button. Arrows, Home, End, first letters, Esc. */

import { Check } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { Button, type ButtonProps, classes, IconButton } from "./Button";
import { type Anchor, useDismiss, useFloating } from "./floating";

export interface MenuItem {
  label: string;
  icon?: ReactNode;
  shortcut?: string;
  disabled?: boolean;
  danger?: boolean;
  /** A ticked entry; false makes it one that can be ticked. */
  checked?: boolean;
  onSelect(): void;
}

export type MenuEntry = MenuItem | { heading: string } | "separator";

interface MenuProps {
  label: string;
  /** Where it opens: a point, or the box of what opened it. */
  at: Anchor | { x: number; y: number };
  entries: MenuEntry[];
  onClose(): void;
}

/** Open for as long as it is mounted; gives the focus back to where it was. */
export function Menu({ label, at, entries, onClose }: MenuProps) {
  const menu = useRef<HTMLDivElement>(null);
  const anchor = "x" in at ? { left: at.x, right: at.x, top: at.y - 4, bottom: at.y - 4 } : at;
  useFloating({ element: menu, anchor: () => anchor, open: true });
  useDismiss(true, [menu], onClose);
  useEffect(() => {
    const before = document.activeElement;
    items(menu.current)[0]?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);

  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation();
    const all = items(menu.current);
    const now = all.indexOf(document.activeElement as HTMLElement);
    const next = target(event.key, now, all);
    if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      onClose();
    } else if (next !== undefined) {
      event.preventDefault();
      all[next]?.focus();
    }
  };

  return (
    <div
      ref={menu}
      role="menu"
      aria-label={label}
      tabIndex={-1}
      popover="manual"
      className="popover menu nodrag nowheel nopan nokey"
      onKeyDown={onKeyDown}
      onContextMenu={(event) => event.preventDefault()}
    >
      {entries.map((entry, index) =>
        entry === "separator" ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: separators have nothing else to tell them apart
          <hr key={index} className="menu-separator" />
        ) : "heading" in entry ? (
          <div key={entry.heading} role="presentation" className="menu-heading">
            {entry.heading}
          </div>
        ) : (
          <Entry key={entry.label} item={entry} onClose={onClose} />
        ),
      )}
    </div>
  );
}

function Entry({ item, onClose }: { item: MenuItem; onClose(): void }) {
  const role =
    item.checked === undefined ? { role: "menuitem" } : { role: "menuitemcheckbox", "aria-checked": item.checked };
  return (
    <button
      type="button"
      {...role}
      aria-disabled={item.disabled || undefined}
      tabIndex={-1}
      className={classes("menu-item", item.danger && "menu-item-danger")}
      onClick={() => {
        if (item.disabled) return;
        onClose();
        item.onSelect();
      }}
    >
      <span>{item.checked ? <Check /> : item.icon}</span>
      <span>{item.label}</span>
      {item.shortcut && <span className="menu-shortcut">{item.shortcut}</span>}
    </button>
  );
}

interface MenuButtonProps extends Omit<ButtonProps, "onClick"> {
  label: string;
  entries: MenuEntry[];
  /** Icon only: the label is its name. */
  iconOnly?: boolean;
}

/** A button that opens a menu below itself. */
export function MenuButton({ label, entries, iconOnly = false, icon, ...rest }: MenuButtonProps) {
  const [at, setAt] = useState<Anchor | null>(null);
  const shared = {
    ...rest,
    "aria-haspopup": "menu" as const,
    "aria-expanded": at !== null,
    onClick: (event: { currentTarget: HTMLElement }) => setAt(event.currentTarget.getBoundingClientRect()),
  };
  return (
    <>
      {iconOnly ? (
        <IconButton {...shared} label={label}>
          {icon}
        </IconButton>
      ) : (
        <Button {...shared} icon={icon}>
          {label}
        </Button>
      )}
      {at && <Menu label={label} at={at} entries={entries} onClose={() => setAt(null)} />}
    </>
  );
}

function items(menu: HTMLElement | null): HTMLElement[] {
  return menu ? [...menu.querySelectorAll<HTMLElement>('[role^="menuitem"]')] : [];
}

/** The item that a key leads to; undefined when it is not a key for moving. */
function target(key: string, now: number, all: HTMLElement[]): number | undefined {
  const count = all.length;
  if (count === 0) return undefined;
  if (key === "ArrowDown") return (now + 1) % count;
  if (key === "ArrowUp") return (now - 1 + count) % count;
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  if (key.length !== 1 || key === " ") return undefined;
  const letter = key.toLowerCase();
  const order = [...all.keys()].map((step) => (now + 1 + step) % count);
  return order.find((index) => all[index]?.textContent?.trim().toLowerCase().startsWith(letter));
}
