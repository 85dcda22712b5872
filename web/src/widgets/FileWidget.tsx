/** A file chosen by name from one of the user's folders: a checkpoint, a LoRA, a picture. */

import { RotateCw } from "lucide-react";
import { Button, IconButton } from "../theme";
import { Frame } from "./Frame";
import { type Folder, useFiles } from "./files";
import { Picker } from "./Picker";
import { PictureField } from "./PictureField";
import { readable, shownValue, type WidgetProps } from "./types";

/** The folder whose files are pictures: there they are shown, and can be uploaded. */
const PICTURES = "input";

export function FileWidget(props: WidgetProps) {
  const { schema, onChange, disabled } = props;
  const files = useFiles();
  const folderName = schema.folder ?? "";
  const folder = files.useFolder(folderName);
  const refresh = () => void files.refresh(folderName);
  const value = shownValue(props);
  const name = typeof value === "string" && value !== "" ? value : null;
  const picture = folderName === PICTURES;
  const field = <PictureField {...props} name={name} there={name !== null && folder.names.includes(name)} />;
  return (
    <Frame of={props} kind={picture ? "picture" : "file"} stacked={picture}>
      {(control) => (
        <>
          {picture && !props.compact && field}
          <span className="file-row">
            {picture && !props.compact && <span className="file-row-lead">or take</span>}
            <Picker
              control={control}
              label={props.label ?? readable(schema.name)}
              value={name}
              names={folder.names}
              state={stateOf(folder, folderName, refresh)}
              onOpen={refresh}
              onPick={(picked) => onChange(picked, true)}
            />
            {!picture && (
              <IconButton label={`Look again in ${folderName}`} size="small" disabled={disabled} onClick={refresh}>
                <RotateCw />
              </IconButton>
            )}
          </span>
          {picture && props.compact && field}
        </>
      )}
    </Frame>
  );
}

/** What to say instead of the list. */
function stateOf(folder: Folder, name: string, again: () => void) {
  if (folder.state === "loading") return <p className="picker-note">Looking in {name}…</p>;
  if (folder.state === "failed" && folder.names.length === 0) {
    return (
      <p className="picker-note">
        {folder.error}{" "}
        <Button kind="link" onClick={again}>
          Try again
        </Button>
      </p>
    );
  }
  return folder.names.length > 0 ? undefined : (
    <p className="picker-note">
      There is nothing in the folder <b>{name}</b> yet. Put a file there and open this list again.
    </p>
  );
}
