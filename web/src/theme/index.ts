/** Colours, type and the small parts. Import `theme/index.css` once, in `main.tsx`; everything else from here. */

export { Button, type ButtonProps, classes, IconButton } from "./Button";
export { Dialog } from "./Dialog";
export { type Anchor, place, useDismiss, useFloating } from "./floating";
export { Markdown } from "./Markdown";
export { Menu, MenuButton, type MenuEntry, type MenuItem } from "./Menu";
export { Chip, EmptyState, Keys, SearchInput } from "./Parts";
export { PortMark } from "./PortMark";
export { Progress, Spinner } from "./Progress";
export { type PortLook, type PortShape, portLook } from "./ports";
export { type Choice, Segmented } from "./Segmented";
export { type Tab, TabPanel, Tabs } from "./Tabs";
export { type ToastMessage, Toasts } from "./Toast";
export { Tooltip } from "./Tooltip";
export { startTheme, type ThemeChoice, useTheme } from "./theme";
