/** The dialog that is asked for, if any. Mounted once, in the shell. */

import { closeDialog, useDialog } from "../live/desk";
import { Button, Dialog } from "../theme";
import { CompareDialog } from "./CompareDialog";
import { PictureDialog } from "./PictureDialog";
import { ConflictDialog, SaveAsDialog, VersionsDialog } from "./SaveDialogs";
import { SweepDialog } from "./SweepDialog";

export function PanelDialogs() {
  const asked = useDialog();
  switch (asked?.dialog) {
    case "saveAs":
      return <SaveAsDialog tab={asked.tab} />;
    case "conflict":
      return <ConflictDialog conflict={asked.conflict} />;
    case "versions":
      return <VersionsDialog name={asked.name} />;
    case "sweep":
      return <SweepDialog />;
    case "compare":
      return <CompareDialog left={asked.left} right={asked.right} />;
    case "picture":
      return <PictureDialog file={asked.file} />;
    case "confirm":
      return <Confirm {...asked} />;
    default:
      return null;
  }
}

interface ConfirmProps {
  title: string;
  text: string;
  action: string;
  danger: boolean;
  onConfirm(): void;
}

function Confirm({ title, text, action, danger, onConfirm }: ConfirmProps) {
  return (
    <Dialog
      title={title}
      onClose={closeDialog}
      footer={
        <>
          <Button onClick={closeDialog}>Cancel</Button>
          <Button
            kind={danger ? "danger" : "primary"}
            onClick={() => {
              closeDialog();
              onConfirm();
            }}
          >
            {action}
          </Button>
        </>
      }
    >
      <p>{text}</p>
    </Dialog>
  );
}
